import { Command, CommanderError } from 'commander';
import { EXIT, UserError } from '../errors.ts';
import { VERSION } from '../runs/environment.ts';
import { addAdvice, expectOwnChoices } from './advice.ts';
import { addCommands } from './commands.ts';
import { renderMessage } from './inputs/field-names.ts';
import { expectKnownVariables } from './inputs/hyperparameters.ts';
import { showControls } from './terminal/controls.ts';
import { HELP_LAYOUT } from './terminal/help.ts';
import { endIfHungUp, handleSignals } from './terminal/interrupt.ts';
import { guarded, type Io } from './terminal/io.ts';
import { exitOnOutputError, flushOutput } from './terminal/output.ts';

/** Runs the command line. Resolves to the exit code, once the output has been written. */
export async function main(args: readonly string[], process: Io): Promise<number> {
  const io = guarded(process);
  if (!hasFolder(io)) {
    io.stderr.write('error: the current folder no longer exists; change to another one\n');
    return EXIT.failure;
  }
  let exitCode: number = EXIT.done;
  const program = buildProgram(args, io, (code) => {
    exitCode = code;
  });
  // The command that an error is about: its options name the fields of messages.
  let running: Command = program;
  program.hook('preAction', (_, command) => {
    running = command;
  });
  exitOnOutputError(io);
  // A failure to print progress must not lose the results.
  io.stderr.on('error', () => {});
  handleSignals(io);
  try {
    await program.parseAsync(args, { from: 'user' });
    endIfHungUp(exitCode, io);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.stderr.write(`${messageOf(error, running, io)}\n`);
    return error instanceof UserError ? error.exitCode : EXIT.failure;
  } finally {
    await flushOutput(io);
  }
}

/** Whether the current folder still exists: without one, paths cannot be resolved and threads do not start. */
function hasFolder(io: Io): boolean {
  try {
    return io.cwd() !== '';
  } catch {
    return false;
  }
}

function buildProgram(args: readonly string[], io: Io, setExitCode: (code: number) => void): Command {
  const program = new Command('nn-train')
    .usage('[train] [options]\n       nn-train <command> [options]')
    .description('Trains a linear classifier or a two-layer network on CIFAR-10, with backpropagation written by hand')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
    })
    .configureHelp(HELP_LAYOUT)
    .hook('preAction', (_, command) => {
      expectOwnChoices(command);
      if (command.name() !== 'help') expectKnownVariables(io.env);
    });
  addCommands(program, args, io, setExitCode);
  addAdvice(program, io);
  return program;
}

function messageOf(error: unknown, command: Command, { env }: Io): string {
  if (error instanceof UserError) return `error: ${renderMessage(error.text, env, command)}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a bug in nn-train; please report it:\n${showControls(stack)}`;
}
