import type { Backend, Precision } from '../backends/backend.ts';
import { WasmBackend } from '../backends/wasm/wasm.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import { operationCount, type ProductSize, prepareProduct, productsOf, repetitionsOf } from './products.ts';
import { FAST, STEP_SIZES, STEPS_BY_PRODUCT, type StepSize } from './sizes.ts';
import { type PartName, prepareParts, prepareStep, randomImages } from './steps.ts';

// Speed of single matrix products, of whole training steps and of parts of a step.

/** Rounds of measurements. Each round takes every measurement once, so that other load on the machine affects all of them equally. */
const ROUNDS = 5;
/** Time to find the fastest tile height, including the time to compile it. */
const TILE_SEARCH_MS = 150;
/** Sizes above this number of operations are skipped on the reference backend, where each would take seconds. */
const MAX_REFERENCE_OPERATIONS = 2e8;

export interface ProductSpeed extends ProductSize {
  readonly arithmetic: Precision;
  /** Multiplications and additions (2 M N K) per second, of integers as of float32. Median over the rounds. */
  readonly operationsPerSecond: number;
  /** Relative to the peak of this arithmetic; null if the peak is unknown. */
  readonly share: number | null;
}

export interface StepSpeed extends StepSize {
  /** Median over the rounds. */
  readonly imagesPerSecond: number;
  /** Time that the products of a step would take at the peak, relative to the time of the step; null if the peak is unknown. */
  readonly share: number | null;
}

/** A part of a step, measured alone. */
export interface PartSpeed extends Pick<StepSize, 'model' | 'recipe'> {
  readonly part: PartName;
  /** Median over the rounds. */
  readonly seconds: number;
  /** Relative to the time of the whole step. */
  readonly share: number;
}

/** Results for one backend. */
export interface BackendSpeed {
  /** Operations per second of the innermost loop, on all threads and with all operands in the L1 cache: of float32, and of the
   *  precision of the backend. Null on a backend without such a loop. */
  readonly peak: Readonly<Partial<Record<Precision, number>>> | null;
  readonly products: readonly ProductSpeed[];
  readonly steps: readonly StepSpeed[];
  /** Parts of the step of the recipe `fast`; none if that step is not measured. */
  readonly parts: readonly PartSpeed[];
}

export interface BenchmarkOptions {
  /** Duration of each measurement, over all rounds. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
  /** Called before each measurement of each round. */
  onProgress?(done: number, total: number): void;
}

/** Measures products and training steps on the given backends, all of them in every round. The images are random bytes.
 *  @throws the signal's reason, once it is aborted. */
export async function benchmark(backends: readonly Backend[], options: BenchmarkOptions): Promise<BackendSpeed[]> {
  const plans = backends.map(plan);
  const measurements = plans.flatMap(({ peaks, products, steps, parts }) => [peaks, products, steps, parts].flat());
  await takeRounds(measurements, options);
  return plans.map(speedOf);
}

/** An operation that is run repeatedly, with its rate in each round. */
class Measurement<Subject = unknown> {
  readonly subject: Subject;
  readonly #run: () => number | Promise<number>;
  readonly #rates: number[] = [];

  /** @param run runs it once and returns the amount of work done, in operations or images. */
  constructor(subject: Subject, run: () => number | Promise<number>) {
    this.subject = subject;
    this.#run = run;
  }

  /** Takes the measurement of one round. The first run wakes the threads and loads the operands into the caches. It counts
   *  only if it takes as long as a round by itself and an earlier round has already compiled the code. */
  async takeRound(seconds: number): Promise<void> {
    const first = await this.#repeat(0);
    const isEnough = this.#rates.length > 0 && first.elapsed >= seconds;
    const { done, elapsed } = isEnough ? first : await this.#repeat(seconds);
    this.#rates.push(done / elapsed);
  }

  /** Runs it at least once, until the time is up. */
  async #repeat(seconds: number): Promise<{ done: number; elapsed: number }> {
    const started = performance.now();
    let [done, elapsed] = [0, 0];
    do {
      done += await this.#run();
      elapsed = (performance.now() - started) / 1000;
    } while (elapsed < seconds);
    return { done, elapsed };
  }

  /** Work per second: the median over the rounds. */
  get rate(): number {
    return this.#rates.toSorted((a, b) => a - b)[this.#rates.length >> 1];
  }
}

async function takeRounds(
  measurements: readonly Measurement[],
  { seconds, signal, onProgress }: BenchmarkOptions,
): Promise<void> {
  const total = ROUNDS * measurements.length;
  for (let done = 0; done < total; done++) {
    await yieldToEventLoop();
    signal?.throwIfAborted();
    onProgress?.(done, total);
    await measurements[done % measurements.length].takeRound(seconds / ROUNDS);
  }
}

/** The measurements on one backend. */
interface Plan {
  readonly precision: Precision;
  readonly peaks: readonly Measurement<Precision>[];
  readonly products: readonly Measurement<ProductSize>[];
  readonly steps: readonly Measurement<StepSize>[];
  readonly parts: readonly Measurement<PartName>[];
}

function plan(backend: Backend): Plan {
  const isFeasible = (operations: number) => backend instanceof WasmBackend || operations <= MAX_REFERENCE_OPERATIONS;
  const products = STEPS_BY_PRODUCT.flatMap(productsOf).filter((size) => isFeasible(operationCount(size)));
  const steps = STEP_SIZES.filter((size) => isFeasible(sum(productsOf(size).map(operationCount))));
  const images = randomImages(backend);
  const parts = steps.includes(FAST) ? prepareParts(backend, images, FAST) : [];
  return {
    precision: backend.precision,
    peaks: peakMeasurements(backend),
    products: products.map((size) => new Measurement(size, prepareProduct(backend, size))),
    steps: steps.map((size) => new Measurement(size, prepareStep(backend, images, size))),
    parts: parts.map(([name, run]) => new Measurement(name, run)),
  };
}

function peakMeasurements(backend: Backend): Measurement<Precision>[] {
  if (!(backend instanceof WasmBackend)) return [];
  const arithmetics = new Set<Precision>(['float32', backend.precision]);
  return Array.from(arithmetics, (arithmetic) => {
    const rows = fastestRows(backend, arithmetic);
    return new Measurement(arithmetic, () => backend.products.runPeak(arithmetic, rows));
  });
}

/** Finds the tile height at which the innermost loop is fastest, which need not be the largest. */
function fastestRows(backend: WasmBackend, arithmetic: Precision): number {
  const rates = new Array<number>(backend.products.tileRows(arithmetic)).fill(0);
  const end = performance.now() + TILE_SEARCH_MS;
  while (performance.now() < end) {
    for (let i = 0; i < rates.length; i++) {
      const started = performance.now();
      const operations = backend.products.runPeak(arithmetic, i + 1);
      rates[i] = Math.max(rates[i], operations / (performance.now() - started));
    }
  }
  return 1 + rates.indexOf(Math.max(...rates));
}

function speedOf({ precision, peaks, products, steps, parts }: Plan): BackendSpeed {
  const rates = new Map(peaks.map(({ subject, rate }) => [subject, rate]));
  const arithmeticOf = ({ ofImages }: ProductSize) => (ofImages ? precision : 'float32');
  const secondsAtPeak = (size: ProductSize) => operationCount(size) / rates.get(arithmeticOf(size))!;
  const productSeconds = (size: StepSize) => {
    const { sides, optimizerOperations } = repetitionsOf(size);
    return sides * sum(productsOf(size).map(secondsAtPeak)) + optimizerOperations / rates.get('float32')!;
  };
  const fastRate = steps.find(({ subject }) => subject === FAST)?.rate;
  const share = (value: () => number) => (rates.size > 0 ? value() : null);
  return {
    peak: rates.size > 0 ? Object.fromEntries(rates) : null,
    products: products.map(({ subject, rate }) => ({
      ...subject,
      arithmetic: arithmeticOf(subject),
      operationsPerSecond: rate,
      share: share(() => (secondsAtPeak(subject) * rate) / operationCount(subject)),
    })),
    steps: steps.map(({ subject, rate }) => ({
      ...subject,
      imagesPerSecond: rate,
      share: share(() => (productSeconds(subject) * rate) / subject.batchSize),
    })),
    parts: parts.map(({ subject, rate }) => ({
      ...{ model: FAST.model, recipe: FAST.recipe, part: subject, seconds: 1 / rate },
      share: fastRate! / (rate * FAST.batchSize),
    })),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
