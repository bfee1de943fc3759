import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { EXIT, UsageError, type UserError } from '../../errors.ts';
import type { RunEvent } from '../../runs/events.ts';
import type { ViewCount } from '../../training/views.ts';
import { flagOf, renderMessage } from '../inputs/field-names.ts';
import { readConfig } from '../inputs/hyperparameters.ts';
import { parseOption } from '../inputs/option.ts';
import { VIEWS } from '../inputs/shared-options.ts';
import { resumeCommand } from '../terminal/format.ts';
import { exitCodeOf, interruptible, TIME_LIMIT as TIME_IS_UP } from '../terminal/interrupt.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { OutputError } from '../terminal/output.ts';
import { ownName } from '../terminal/own-name.ts';
import { RunLog } from './log.ts';
import { type RunOptions, SEEDS, TIME_LIMIT } from './options.ts';
import { planNew, planResume } from './plan.ts';
import { RunPrinter } from './printer.ts';
import { RunOutput } from './run-output.ts';
import { RunPage } from './run-page.ts';
import { type InterruptedRun, SeedsPrinter, trainOne, trainSeeds } from './seeds.ts';
import { stoppedResult } from './stopped.ts';

/** `nn-train [train]`. Resolves to the exit code. */
export async function runTrain(command: Command, io: Io): Promise<number> {
  const options = command.opts<RunOptions>();
  const views = parseOption('--views', options.views, VIEWS);
  const timeLimit = parseOption('--time-limit', options.timeLimit, TIME_LIMIT);
  const seeds = parseOption('--seeds', options.seeds, SEEDS);
  if (seeds) expectSeveralRuns(command);
  if (options.printConfig) {
    const config = await readConfig(command, io.env);
    io.stdout.write(`${JSON.stringify(effectiveConfig(config), null, 2)}\n`);
    return EXIT.done;
  }
  const printer = seeds ? new SeedsPrinter(io, options, seeds) : new RunPrinter(io, options);
  const log = options.log === undefined ? undefined : new RunLog(io, command, options.log);
  const page = await RunPage.begin(io, options);
  const output = new RunOutput(io, options);
  let isOver = false;
  let report: string | undefined;
  const work = async (interruption: AbortSignal): Promise<number> => {
    const signal = AbortSignal.any([interruption, output.signal]);
    const onEvent = async (event: RunEvent) => {
      output.take(event);
      log?.write(event);
      await page.take(event);
      const isInterrupted = event.type === 'run-stopped' && event.reason === 'interrupted';
      if (event.type === 'run-ended') report = await page.end(event.progress, signal, event.result.test);
      if (isInterrupted) report = await page.end(event.progress, signal);
      printer.show(event, report);
      if (!options.json) return;
      if (event.type === 'run-ended') io.stdout.write(`${JSON.stringify(event.result)}\n`);
      if (event.type === 'run-stopped') io.stdout.write(`${JSON.stringify(stoppedResult(event, command, io.env))}\n`);
    };
    try {
      const context = { command, io, views, seeds, printer, onEvent, signal, report: () => report };
      const code = await runAll(context).finally(() => log?.close());
      isOver = true;
      await page.keepServing(interruption);
      if (code === EXIT.done) await output.expectDelivered();
      return code;
    } finally {
      await page.close();
      await output.close();
    }
  };
  const onInterrupt = (cause: string) => {
    printer.close();
    const reason = cause === TIME_IS_UP ? `the time limit of ${options.timeLimit} is reached; ` : '';
    if (!isOver) io.stderr.write(`${reason}stopping; press Ctrl-C ${reason === '' ? 'again ' : ''}to quit at once\n`);
  };
  return interruptible(io, work, onInterrupt, timeLimit);
}

interface RunContext {
  readonly command: Command;
  readonly io: Io;
  readonly views: ViewCount;
  readonly seeds: readonly number[] | null;
  readonly printer: RunPrinter | SeedsPrinter;
  readonly signal: AbortSignal;
  onEvent(event: RunEvent): Promise<void>;
  /** Path of the report, if one has been written. */
  report(): string | undefined;
}

/** Trains and prints the outcome. Resolves to the exit code. */
async function runAll({ command, io, views, seeds, printer, signal, onEvent, report }: RunContext): Promise<number> {
  const options = command.opts<RunOptions>();
  let backend: Backend | undefined;
  try {
    const isNew = options.resume === undefined;
    const plan = isNew ? await planNew(command, io, signal, seeds) : await planResume(command, io, signal);
    backend = plan.backend;
    const training = { ...plan, views, signal, onEvent };
    const onDiverged = (seed: number, { text }: UserError) =>
      printNote(io, `seed ${seed}: ${renderMessage(text, io.env, command)}`);
    const outcome = await (seeds ? trainSeeds(seeds, training, onDiverged) : trainOne(training));
    if (printer instanceof SeedsPrinter) printer.showMeans();
    const { hasDiverged, interrupted } = outcome;
    if (interrupted) {
      if (signal.reason instanceof OutputError) throw signal.reason;
      io.stderr.write(`${resumeInstructions(interrupted, options, io.env, report())}\n`);
      return exitCodeOf(signal);
    }
    return hasDiverged ? EXIT.diverged : EXIT.done;
  } catch (error) {
    // Interrupted before training began, for example while downloading.
    if (signal.aborted && error === signal.reason && !(error instanceof OutputError)) return exitCodeOf(signal);
    throw error;
  } finally {
    printer.close();
    backend?.close();
  }
}

/** @throws UsageError for options that are about a single run, together with --seeds. */
function expectSeveralRuns(command: Command): void {
  const single = ['seed', 'resume', 'printConfig', 'watch', 'open'];
  const given = single.filter((name) => command.getOptionValueSource(name) === 'cli').map(flagOf);
  if (given.length > 0) throw new UsageError(`--seeds trains several runs; leave out ${given.join(', ')}`);
}

function resumeInstructions(
  { run, progress, left }: InterruptedRun,
  { data }: RunOptions,
  env: NodeJS.ProcessEnv,
  report: string | undefined,
): string {
  const rest = left.length === 0 ? '' : `\nthe other seeds have not begun: --seeds ${left.join(',')}`;
  if (run === null) return `stopped after step ${progress.step}; nothing was saved (--no-save)${rest}`;
  const soFar = report === undefined ? '' : `, with a report in ${report}`;
  const command = resumeCommand(run, ownName(env), data === undefined ? [] : ['--data', data]);
  return `stopped after step ${progress.step} and saved${soFar}; resume with:\n  ${command}${rest}`;
}
