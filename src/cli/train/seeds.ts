import { DivergedError } from '../../errors.ts';
import type { PartialResult, RunEvent, RunResult, RunStarted } from '../../runs/events.ts';
import { type Interrupted, type TrainOptions, train } from '../../runs/train.ts';
import * as format from '../terminal/format.ts';
import { type Io, painter } from '../terminal/io.ts';
import { EpochBar } from './epoch-bar.ts';
import type { RunOptions } from './options.ts';
import { seedFolder } from './plan.ts';
import { headerOf } from './printer.ts';

/** A run that the signal stopped, and the seeds that were to follow. */
export type InterruptedRun = Interrupted & { readonly left: readonly number[] };

interface Outcome {
  readonly hasDiverged: boolean;
  readonly interrupted?: InterruptedRun;
}

/** Trains one run. @throws as `train` does. */
export async function trainOne(options: TrainOptions): Promise<Outcome> {
  const outcome = await train(options);
  return { hasDiverged: false, ...('interrupted' in outcome && { interrupted: { ...outcome, left: [] } }) };
}

/** Trains a configuration once with each seed, with one backend and the images loaded once. A run that diverges is a result like
 *  another; the signal stops all.
 *  @param onDiverged called with the seed and the error of a run that has diverged. @throws as `train` does otherwise. */
export async function trainSeeds(
  seeds: readonly number[],
  options: TrainOptions,
  onDiverged: (seed: number, error: DivergedError) => void,
): Promise<Outcome> {
  let hasDiverged = false;
  for (const [i, seed] of seeds.entries()) {
    try {
      const out = typeof options.out === 'string' ? seedFolder(options.out, seed) : options.out;
      const config = { ...options.config, seed };
      const outcome = await train({ ...options, config, out, folderLabel: `seed${seed}` });
      if ('interrupted' in outcome) return { hasDiverged, interrupted: { ...outcome, left: seeds.slice(i + 1) } };
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      hasDiverged = true;
      onDiverged(seed, error);
    }
    options.backend.reset();
  }
  return { hasDiverged };
}

const NONE = '–';

/** Prints runs that differ in the seed alone: a header, a line for each run with a progress bar while it trains, and the mean
 *  accuracies with their sample standard deviations.
 *
 *  All but the bar goes to stdout, or to stderr if stdout is reserved for JSON. */
export class SeedsPrinter {
  readonly #io: Io;
  readonly #out: NodeJS.WriteStream;
  readonly #quiet: boolean;
  readonly #seeds: readonly number[];
  readonly #bar: EpochBar;
  readonly #results: RunResult[] = [];
  #started: RunStarted | undefined;

  constructor(io: Io, options: Pick<RunOptions, 'json' | 'quiet' | 'progress'>, seeds: readonly number[]) {
    this.#io = io;
    this.#out = options.json ? io.stderr : io.stdout;
    this.#quiet = options.quiet ?? false;
    this.#seeds = seeds;
    this.#bar = new EpochBar(io, options);
  }

  show(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        if (!this.#started) this.#begin(event);
        this.#started = event;
        return;
      case 'step':
        this.#bar.draw(event, this.#started!, `seed ${this.#started!.config.seed}  `);
        return;
      case 'epoch-ended':
        this.#bar.clear();
        return;
      case 'run-ended':
        this.#results.push(event.result);
        this.#print(this.#row(event.result, event.result.run ?? 'not saved'));
        return;
      case 'run-stopped': {
        this.#bar.clear();
        const { status, run } = event.result;
        const where = run === null ? '' : `, ${run}`;
        this.#print(this.#row(event.result, `${status} at step ${format.integer(event.progress.step)}${where}`));
        return;
      }
      default:
        event satisfies never;
    }
  }

  /** Prints the means over the runs that have finished. */
  showMeans(): void {
    if (this.#results.length > 0) this.#print(meanLines(this.#results, painter(this.#out, this.#io.env)));
  }

  /** Removes the bar permanently. */
  close(): void {
    this.#bar.close();
  }

  #begin(event: RunStarted): void {
    const paint = painter(this.#out, this.#io.env);
    const header = headerOf(event, paint, this.#out.columns ?? Infinity, this.#seeds);
    if (!this.#quiet) this.#print([...header, '']);
    this.#print(paint('dim', this.#line(['seed', 'epochs', 'validation', 'test', 'seconds', 'run'])));
  }

  #row({ seed, epochs, validation, test, seconds }: RunResult | PartialResult, end: string): string {
    const shares = [validation, test].map((metrics) => (metrics ? format.percent(metrics.accuracy) : NONE));
    return this.#line([String(seed), String(epochs), ...shares, seconds.toFixed(seconds < 10 ? 2 : 1), end]);
  }

  #line([seed, epochs, validation, test, seconds, end]: readonly string[]): string {
    const width = Math.max(4, ...this.#seeds.map((one) => String(one).length));
    return [
      seed.padStart(width),
      epochs.padStart(6),
      validation.padStart(10),
      test.padStart(8),
      seconds.padStart(7),
      end,
    ].join('  ');
  }

  #print(lines: string | readonly string[]): void {
    this.#out.write(`${[lines].flat().join('\n')}\n`);
  }
}

const INDENT = 12;

/** Lines of the mean accuracies of at least one run. */
function meanLines(results: readonly RunResult[], paint: ReturnType<typeof painter>): string[] {
  const accuracies: readonly (readonly [name: string, of: (result: RunResult) => number | undefined])[] = [
    ['validation', ({ validation }) => validation?.accuracy],
    ['test', ({ test }) => test.accuracy],
    ['views', ({ test }) => test.averaged?.accuracy],
  ];
  const lines = accuracies.flatMap(([name, of]) => {
    const shares = results.map(of).filter((share) => share !== undefined);
    return shares.length === 0 ? [] : [`${paint('bold', name.padEnd(INDENT))}${paint('green', meanText(shares))}`];
  });
  const what = results.length === 1 ? 'of one run' : `mean ± sample standard deviation of ${results.length} runs`;
  const standIn = results[0].dataset === 'synthetic' ? [format.standInLine(paint)] : [];
  return ['', ...lines, `${' '.repeat(INDENT)}${what}`, ...standIn];
}

/** 41.93 ± 0.21 %; a single value has no deviation. */
function meanText(shares: readonly number[]): string {
  const count = shares.length;
  const mean = shares.reduce((sum, share) => sum + share, 0) / count;
  if (count === 1) return format.percent(mean);
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (count - 1);
  return `${(100 * mean).toFixed(2)} ± ${format.percent(Math.sqrt(variance))}`;
}
