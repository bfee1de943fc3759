import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { assertNotOccupied } from '../../runs/create-run-folder.ts';
import type { Environment } from '../../runs/environment.ts';
import type { RunEvent } from '../../runs/events.ts';
import { type Interrupted, type TrainOptions, train } from '../../runs/train.ts';
import type { ViewCount } from '../../training/views.ts';
import { openBackend } from '../inputs/backend.ts';
import { readConfig } from '../inputs/hyperparameters.ts';
import { load } from '../inputs/images.ts';
import { parseOption } from '../inputs/option.ts';
import { expectNoConfig, imagePlaceOf, openBackendOf, readLast } from '../inputs/saved-run.ts';
import { VIEWS } from '../inputs/shared-options.ts';
import { resumeCommand } from '../terminal/format.ts';
import { exitCodeOf, interruptible } from '../terminal/interrupt.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { OutputError } from '../terminal/output.ts';
import { ownName } from '../terminal/own-name.ts';
import { RunLog } from './log.ts';
import type { RunOptions } from './options.ts';
import { RunPrinter } from './printer.ts';
import { RunOutput } from './run-output.ts';
import { RunPage } from './run-page.ts';
import { stoppedResult } from './stopped.ts';

/** `nn-train [train]`. Resolves to the exit code. */
export async function runTrain(command: Command, io: Io): Promise<number> {
  const options = command.opts<RunOptions>();
  const views = parseOption('--views', options.views, VIEWS);
  if (options.printConfig) {
    const config = await readConfig(command, io.env);
    io.stdout.write(`${JSON.stringify(effectiveConfig(config), null, 2)}\n`);
    return EXIT.done;
  }
  const printer = new RunPrinter(io, options);
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
      const code = await runOnce({ command, io, views, printer, onEvent, signal, report: () => report }).finally(() =>
        log?.close(),
      );
      isOver = true;
      await page.keepServing(interruption);
      if (code === EXIT.done) await output.expectDelivered();
      return code;
    } finally {
      await page.close();
      await output.close();
    }
  };
  return interruptible(io, work, () => {
    printer.close();
    if (!isOver) io.stderr.write('stopping; press Ctrl-C again to quit at once\n');
  });
}

interface RunContext {
  readonly command: Command;
  readonly io: Io;
  readonly views: ViewCount;
  readonly printer: RunPrinter;
  readonly signal: AbortSignal;
  onEvent(event: RunEvent): Promise<void>;
  /** Path of the report, if one has been written. */
  report(): string | undefined;
}

/** Trains and prints the outcome. Resolves to the exit code. */
async function runOnce({ command, io, views, printer, signal, onEvent, report }: RunContext): Promise<number> {
  const options = command.opts<RunOptions>();
  let backend: Backend | undefined;
  try {
    const plan =
      options.resume === undefined ? await planNew(command, io, signal) : await planResume(command, io, signal);
    backend = plan.backend;
    const outcome = await train({ ...plan, views, signal, onEvent });
    if ('interrupted' in outcome) {
      if (signal.reason instanceof OutputError) throw signal.reason;
      io.stderr.write(`${resumeInstructions(outcome, options, io.env, report())}\n`);
      return exitCodeOf(signal);
    }
    return EXIT.done;
  } catch (error) {
    // Interrupted before training began, for example while downloading.
    if (signal.aborted && error === signal.reason && !(error instanceof OutputError)) return exitCodeOf(signal);
    throw error;
  } finally {
    printer.close();
    backend?.close();
  }
}

type Plan = Pick<TrainOptions, 'backend' | 'config' | 'dataset' | 'out' | 'resume'>;

async function planNew(command: Command, io: Io, signal: AbortSignal): Promise<Plan> {
  const options = command.opts<RunOptions>();
  const config = await readConfig(command, io.env);
  if (options.out === '') throw new UsageError('--out must name a folder, got an empty string');
  if (options.out !== undefined && !options.save) {
    throw new UsageError('--no-save saves nothing, so there is nothing to put into --out; leave one of the two out');
  }
  if (options.out !== undefined) await assertNotOccupied(options.out);
  const backend = await openBackend(io, options, config.precision);
  const dataset = await load(io, { ...options, choice: config.dataset, path: options.data, signal, backend });
  return { backend, config, dataset, out: options.save ? options.out : null };
}

/** Reads the configuration and loads the images of a resumed run. */
async function planResume(command: Command, io: Io, signal: AbortSignal): Promise<Plan> {
  const options = command.opts<RunOptions>();
  const others = [...(options.out === undefined ? [] : ['--out']), ...(options.save ? [] : ['--no-save'])];
  expectNoConfig(options.resume!, command, { others });
  const run = await readLast(options.resume!);
  const { config, environment } = run.record;
  const { choice, path } = imagePlaceOf(run, options);
  const backend = await openBackendOf(run.record, options, io);
  warnIfBitsDiffer(io, environment, backend);
  const dataset = await load(io, { ...options, choice, path, trust: choice === 'cifar10', signal, backend });
  return { backend, config, dataset, resume: run.directory };
}

/** Prints a note if the backend differs, because the run then cannot end with the bits of an uninterrupted one. */
function warnIfBitsDiffer(io: Io, began: Environment, backend: Backend): void {
  if (backend.name === began.backend && (backend.info.fma === began.fma || backend.precision === 'int16')) return;
  const name = (backendName: string, fma: boolean) => `${backendName}${fma ? ' with fused multiply-add' : ''}`;
  printNote(
    io,
    `the run began on ${name(began.backend, began.fma)} and continues on ${name(backend.name, backend.info.fma)}; ` +
      'its bits will differ from those of an uninterrupted run',
  );
}

function resumeInstructions(
  { run, progress }: Interrupted,
  { data }: RunOptions,
  env: NodeJS.ProcessEnv,
  report: string | undefined,
): string {
  if (run === null) return `stopped after step ${progress.step}; nothing was saved (--no-save)`;
  const soFar = report === undefined ? '' : `, with a report in ${report}`;
  return `stopped after step ${progress.step} and saved${soFar}; resume with:\n  ${resumeCommand(run, ownName(env), data === undefined ? [] : ['--data', data])}`;
}
