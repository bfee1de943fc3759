import path from 'node:path';
import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import type { Dataset } from '../../dataset/load.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { localTime } from '../../format.ts';
import { imageCounts } from '../../images.ts';
import { VERSION } from '../../runs/environment.ts';
import { JOURNAL_VERSION, type SweepLine } from '../../sweep/journal/lines.ts';
import type { Definition } from '../../sweep/plan/definition.ts';
import { proposalsOf } from '../../sweep/plan/proposals.ts';
import type { Connection } from '../../sweep/queue/connection.ts';
import { createSweep, readSweep, Sweep } from '../../sweep/sweep.ts';
import { Checkpoints } from '../../sweep/trial/checkpoints.ts';
import { endSweep } from '../../sweep/trial/winner.ts';
import { openBackend } from '../inputs/backend.ts';
import { flagOf } from '../inputs/field-names.ts';
import { flagsOf } from '../inputs/hyperparameters.ts';
import { load } from '../inputs/images.ts';
import { expectFileName, parseOption } from '../inputs/option.ts';
import { exitCodeOf, interruptible } from '../terminal/interrupt.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { resumeSweep, trainCommand } from './commands.ts';
import { readDefinition, readSeeds } from './define.ts';
import { SweepDisplay } from './display.ts';
import { type Execution, readExecution, startExecutor } from './executor.ts';
import { DEFINING, type SweepOptions, TRIALS } from './options.ts';
import { conditionsOf, openQueue, sharedFolder, startQueueExecutor } from './queue.ts';
import { showResults } from './results.ts';

/** `nn-train sweep`. Resolves to the exit code. */
export async function runSweep(file: string | undefined, command: Command, io: Io): Promise<number> {
  const options = command.opts<SweepOptions>();
  expectFileName('--csv', options.csv, ['.csv']);
  const execution = readExecution(options, io);
  if (options.list && options.resume === undefined)
    return listTrials(await readDefinition(file, command, io), options, io);
  const display = new SweepDisplay(io, options);
  const work = async (signal: AbortSignal): Promise<number> => {
    const plan = options.resume === undefined ? await planNew(file, command, io) : await planResume(file, command);
    const queue = await openQueue(options, io);
    let backend: Backend | undefined;
    try {
      backend = await openBackend(io, withoutThreads(options), plan.precision);
      const dataset = await load(io, { ...options, ...plan.images, signal, backend });
      const sweep = await plan.open(dataset);
      try {
        return await runAll({ sweep, dataset, backend, queue, signal, options, execution, io, display });
      } finally {
        await sweep.release();
      }
    } catch (error) {
      if (signal.aborted && error === signal.reason) return exitCodeOf(signal);
      throw error;
    } finally {
      display.close();
      queue?.close();
      backend?.close();
    }
  };
  return interruptible(io, work, () => {
    display.close();
    io.stderr.write('stopping; press Ctrl-C again to quit at once\n');
  });
}

interface Session {
  readonly sweep: Sweep;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly queue: Connection | undefined;
  readonly signal: AbortSignal;
  readonly options: SweepOptions;
  readonly execution: Execution;
  readonly io: Io;
  readonly display: SweepDisplay;
}

async function runAll(session: Session): Promise<number> {
  const { sweep, dataset, backend, queue, signal, options, execution, io, display } = session;
  if (sweep.wasTorn) printNote(io, `the journal of ${sweep.folder} ended within a line, which was cut off`);
  if (sweep.state.ended) {
    if (!options.quiet && !options.json)
      io.stdout.write(`${sweep.folder} has already finished; --trials N extends it\n\n`);
    return showResults(sweep.state, { folder: sweep.folder, isRunning: false, options, io });
  }
  const { folder } = sweep;
  const shared = sharedFolder(options.checkpoints, conditionsOf(backend, dataset));
  const checkpoints = shared === undefined ? sweep.checkpoints : new Checkpoints(shared);
  const executor = queue
    ? await startQueueExecutor(queue, session)
    : await startExecutor({ folder, dataset, backend, execution, io, onProgress: display.progress });
  try {
    display.begin(sweep, queue ? { queue: queue.shown } : { workers: executor.capacity });
    await sweep.run(executor, { signal, onEvent: display.take });
    display.close();
    if (!signal.aborted) await endSweep(sweep, { dataset, backend, checkpoints, signal, executor });
  } finally {
    display.close();
    await executor.close();
  }
  const isOver = sweep.state.ended !== undefined;
  const code = await showResults(sweep.state, { folder: sweep.folder, isRunning: false, options, io });
  if (isOver) return code;
  const more = [
    ...(options.queue === undefined || !queue ? [] : ['--queue', queue.shown]),
    ...(options.checkpoints === undefined ? [] : ['--checkpoints', options.checkpoints]),
  ];
  const resume = resumeSweep(folder, io, options.data, more);
  io.stderr.write(`stopped and saved; resume with:\n  ${resume}\n`);
  return exitCodeOf(signal);
}

/** The threads are those of a worker; this backend reads the images and tests the winner. */
function withoutThreads({ threads: _, ...options }: SweepOptions): Omit<SweepOptions, 'threads'> {
  return options;
}

/** What to do before the images are there, and how to begin once they are. */
interface Preparation {
  readonly precision: Backend['precision'];
  readonly images: Pick<Parameters<typeof load>[1], 'choice' | 'path' | 'trust'>;
  open(dataset: Dataset): Promise<Sweep>;
}

async function planNew(file: string | undefined, command: Command, io: Io): Promise<Preparation> {
  const options = command.opts<SweepOptions>();
  const definition = await readDefinition(file, command, io);
  const [sampler, configAt] = proposalsOf(definition);
  // Fails now rather than in every trial.
  configAt(sampler.propose(0, []));
  const { dataset: choice, model, precision } = resolveConfig(effectiveConfig(definition.base));
  if (options.out === '') throw new UsageError('--out must name a folder, got an empty string');
  return {
    precision,
    images: { choice, path: options.data, trust: options.trust },
    open: async (dataset) => {
      const line = headerOf(definition, dataset);
      const folder = await createSweep(options.out ?? defaultFolder(model), line, {
        mayRename: options.out === undefined,
      });
      return Sweep.open(folder);
    },
  };
}

function headerOf({ base, ...definition }: Definition, dataset: Dataset): SweepLine {
  const { name, source, sha256 } = dataset;
  const [{ lag }] = proposalsOf({ base, ...definition });
  return {
    type: 'sweep',
    version: JOURNAL_VERSION,
    ...definition,
    lag: Number.isFinite(lag) ? lag : null,
    base: { ...base, dataset: name },
    dataset: {
      name,
      source: source === 'generated' ? source : path.resolve(source),
      sha256,
      images: imageCounts(dataset),
    },
    nnTrain: VERSION,
  };
}

async function planResume(file: string | undefined, command: Command): Promise<Preparation> {
  const options = command.opts<SweepOptions>();
  const folder = options.resume!;
  const given = [
    ...(file === undefined ? [] : [file]),
    ...Object.keys(flagsOf(command)).map(flagOf),
    ...DEFINING.filter((name) => options[name] !== undefined).map((name) => `--${name}`),
    ...(['out', 'config', 'list'] as const).filter((name) => options[name] !== undefined).map((name) => `--${name}`),
  ];
  if (given.length > 0)
    throw new UsageError(`what ${folder} searches is in its journal; leave out ${given.join(', ')}`);
  const { sweep } = await readSweep(folder);
  const { dataset } = sweep;
  const extension = {
    trials: options.trials === undefined ? undefined : parseOption('--trials', options.trials, TRIALS),
    seeds: options.seeds === undefined ? undefined : readSeeds(options.seeds),
  };
  const isStandIn = dataset.name === 'synthetic';
  return {
    precision: resolveConfig(effectiveConfig(sweep.base)).precision,
    images: {
      choice: dataset.name,
      path: options.data ?? (isStandIn ? undefined : dataset.source),
      trust: options.trust ?? (isStandIn ? undefined : true),
    },
    open: async (found) => {
      expectSameImages(folder, dataset, found);
      return Sweep.open(folder, extension);
    },
  };
}

/** @throws UsageError */
function expectSameImages(folder: string, { sha256 }: SweepLine['dataset'], found: Dataset): void {
  if (found.sha256 === sha256) return;
  throw new UsageError(
    `${found.source} does not hold the images of ${folder}: their SHA-256 is ${found.sha256}, wanted ${sha256}; give the path of the right ones with --data`,
  );
}

/** `--list`: prints the command of each trial. */
function listTrials(definition: Definition, { data }: SweepOptions, io: Io): number {
  const [sampler, configAt] = proposalsOf(definition);
  if (sampler.lag !== Infinity) {
    throw new UsageError(
      `--list prints all trials beforehand, but those of ${definition.method} follow from the results before; add --method grid, random or sobol`,
    );
  }
  const count = Math.min(definition.trials, sampler.size);
  for (let trial = 0; trial < count; trial++) {
    const config = effectiveConfig(configAt(sampler.propose(trial, [])));
    io.stdout.write(`${trainCommand(ownName(io.env), config, data)}\n`);
  }
  return EXIT.done;
}

/** sweeps/<model>-<date>-<time>, in local time. */
function defaultFolder(model: string): string {
  const time = localTime(new Date()).replaceAll(/[-:]/g, '').replace(' ', '-');
  return path.join('sweeps', `${model}-${time}`);
}
