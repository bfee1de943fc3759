import { type Command, Option } from 'commander';
import { number } from '../../config/field.ts';
import { addBackendOptions } from '../inputs/backend.ts';
import { addNotes } from '../terminal/help.ts';

/** Duration of each measurement of `bench`. */
export const BENCH_SECONDS = number({ above: 0 }, { help: 'seconds for each measurement', default: 0.3 });

const BENCH_NOTES = `
Examples:
  $ nn-train bench
  $ nn-train bench --precision float32 --threads 1
  $ nn-train bench --seconds 1 --json > bench.json

No dataset is needed: the images are random bytes. The peak is measured too: the innermost loop
alone, on all threads, with its operands in the first-level cache.`;

export function addBenchOptions(command: Command): Command {
  const { help, default: seconds } = BENCH_SECONDS;
  command.addOption(new Option('--precision <name>', 'arithmetic to measure: int8, int16 or float32 (default: all)'));
  addBackendOptions(command)
    .addOption(new Option('--seconds <n>', `${help} (default: ${seconds})`))
    .option('--json', 'print one JSON object on stdout')
    .option('--quiet', 'print only the results');
  return addNotes(command, BENCH_NOTES);
}
