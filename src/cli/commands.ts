import { type Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { addBackendOptions } from './backend.ts';
import type { BenchOptions } from './bench.ts';
import type { EvalOptions } from './eval.ts';
import type { Io } from './io.ts';
import { addBenchOptions, DATA_HELP } from './options.ts';

/** Declares every command but training itself. What a command needs is loaded when it runs. */
export function addCommands(program: Command, io: Io, setExitCode: (code: number) => void): void {
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .allowExcessArguments(false)
      .hook('preAction', () => expectNoneBefore(name, program));

  const evaluation = command('eval', 'test a saved run again')
    .argument('<run>', 'run directory')
    .addOption(new Option('--weights <last|best>', 'of the last checkpoint, or of the best epoch').default('last'))
    .option('--data <path>', DATA_HELP)
    .option('--json', 'print one JSON object on stdout');
  addBackendOptions(evaluation).action(async (run: string, options: EvalOptions) => {
    const { runEval } = await import('./eval.ts');
    await runEval(run, options, io);
  });

  const bench = command('bench', 'measure the speed of products and training steps on this machine');
  addBenchOptions(bench).action(async (options: BenchOptions) => {
    const { runBench } = await import('./bench.ts');
    setExitCode(await runBench(options, io));
  });
}

/** @throws UsageError for options before the name of a command, where they are those of train. */
function expectNoneBefore(command: string, program: Command): void {
  const misplaced = program.options.filter((option) => program.getOptionValueSource(option.attributeName()) === 'cli');
  if (misplaced.length > 0) {
    throw new UsageError(
      `options of ${command} come after it, got ${misplaced.map(({ long }) => long).join(', ')} before it`,
    );
  }
}
