import { Command, CommanderError } from 'commander';
import { EXIT, UsageError, UserError } from '../errors.ts';
import { VERSION } from '../runs/environment.ts';
import { addCommands } from './commands.ts';
import type { Io } from './terminal/io.ts';
import { addTrainOptions } from './train/options.ts';

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
      throw new UsageError(`there is no command '${unknown}'; there are ${commandNames(program)}, see nn-train --help`);
    const { runTrain } = await import('./train/train.ts');
    setExitCode(await runTrain(command, io));
  });
  addCommands(program, io, setExitCode);
  return program;
}

function commandNames(program: Command): string {
  const names = ['train', ...program.commands.map((command) => command.name())];
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function messageOf(error: unknown): string {
  if (error instanceof UserError) return `error: ${error.message}`;
  return `This is a bug in nn-train; please report it:\n${error instanceof Error ? (error.stack ?? error.message) : error}`;
}
