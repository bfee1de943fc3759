import { Command, CommanderError, Option } from 'commander';
import { EXIT, UsageError, UserError } from '../errors.ts';
import { VERSION } from '../training/environment.ts';
import { addBackendOptions } from './backend.ts';
import type { BenchOptions } from './bench.ts';
import type { EvalOptions } from './eval.ts';
import type { Io } from './io.ts';
import { addBenchOptions, addTrainOptions, DATA_HELP } from './options.ts';

/** Runs the command line. Resolves to the exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  // A reader that has seen enough, such as `head`, closes the pipe; that is no error.
  io.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    io.stderr.write(`error: cannot write the results to stdout: ${error.message}\n`);
    io.exit(EXIT.failure);
  });
  // Nobody reads the progress; that is no reason to lose the results.
  io.stderr.on('error', () => {});
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.stderr.write(`${messageOf(error)}\n`);
    return error instanceof UserError ? error.exitCode : EXIT.failure;
  }
}

function buildProgram(io: Io, setExitCode: (code: number) => void): Command {
  const program = new Command('nn-train')
    .description('Trains a linear classifier or a two-layer network on CIFAR-10, with backpropagation written by hand.')
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
    })
    .showHelpAfterError('Run nn-train --help for the options and examples.');
  addTrainOptions(program.allowExcessArguments()).action(async (_options, command: Command) => {
    const [unknown] = command.args.filter((name) => name !== 'train');
    if (unknown !== undefined)
      throw new UsageError(`there is no command '${unknown}'; there are train, eval and bench, see nn-train --help`);
    const { runTrain } = await import('./train.ts');
    setExitCode(await runTrain(command, io));
  });
  const evaluation = program
    .command('eval')
    .argument('<run>', 'run directory')
    .allowExcessArguments(false)
    .description('test a saved run again')
    .addOption(new Option('--weights <last|best>', 'of the last checkpoint, or of the best epoch').default('last'))
    .option('--data <path>', DATA_HELP)
    .option('--json', 'print one JSON object on stdout');
  addBackendOptions(evaluation).action(async (run: string, options: EvalOptions) => {
    expectNoneBefore('eval', program);
    const { runEval } = await import('./eval.ts');
    await runEval(run, options, io);
  });
  const bench = program
    .command('bench')
    .allowExcessArguments(false)
    .description('measure the speed of products and training steps on this machine');
  addBenchOptions(bench).action(async (options: BenchOptions) => {
    expectNoneBefore('bench', program);
    const { runBench } = await import('./bench.ts');
    setExitCode(await runBench(options, io));
  });
  return program;
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

function messageOf(error: unknown): string {
  if (error instanceof UserError) return `error: ${error.message}`;
  return `This is a bug in nn-train; please report it:\n${error instanceof Error ? (error.stack ?? error.message) : error}`;
}
