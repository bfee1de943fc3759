import type { Backend, Precision } from '../backends/backend.ts';
import { WasmBackend } from '../backends/wasm/wasm.ts';
import { resolveConfig } from '../config/config.ts';
import type { ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel } from '../models/model.ts';
import { Random } from '../random.ts';
import { rows } from '../training/batches.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import { Trainer } from '../training/trainer.ts';
import { operationsOf, type ProductSize, productOf, productsOf, type StepSize } from './products.ts';

// How fast the products and whole training steps are.

const CLASSES = 10;
/** Every measurement is taken this often, in turns with all others, so that what else the machine does hits all alike. */
const ROUNDS = 5;
/** Time to find out which tile is the fastest: the compiler of the engine needs some of it. */
const CHOICE_MS = 150;
/** Random images to train on: 50 MB, more than most caches hold. */
const IMAGES = 16_384;
/** Sizes of more operations than these are left out on a backend of plain loops, where they take seconds each. */
const MOST_PLAIN_OPERATIONS = 2e8;
/** Small enough that the weights, moved by random images again and again, stay as they are. */
const LEARNING_RATE = 1e-6;

export interface ProductSpeed extends ProductSize {
  readonly arithmetic: Precision;
  /** Multiplications and additions, 2 M N K, each second; of int16 numbers they count the same. Median over the rounds. */
  readonly operationsPerSecond: number;
  /** In parts of the peak of this arithmetic; null where that is unknown. */
  readonly share: number | null;
}

export interface StepSpeed extends StepSize {
  /** Median over the rounds. */
  readonly imagesPerSecond: number;
  /** Of the time of a step, the part in which its products would be done at the peak; null where that is unknown. */
  readonly share: number | null;
}

/** What was measured on one backend. */
export interface BackendSpeed {
  /** Operations each second of the innermost loop, on all threads and with all operands in the first-level cache; int16 is
   *  null where the precision is float32. The whole is null on a backend that has no such loop. */
  readonly peak: { readonly float32: number; readonly int16: number | null } | null;
  readonly products: readonly ProductSpeed[];
  readonly steps: readonly StepSpeed[];
}

export interface BenchmarkOptions {
  /** Time of each measurement, over all rounds. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
  /** Is told of every round of every measurement before it is taken. */
  onProgress?(done: number, total: number): void;
}

const mlp = (hidden: number, batchSize: number): StepSize => ({ model: 'mlp', hidden, batchSize });

export const STEP_SIZES: readonly StepSize[] = [
  { model: 'linear', hidden: null, batchSize: 256 },
  mlp(100, 100),
  mlp(512, 64),
  mlp(512, 256),
  mlp(2048, 256),
];

/** The steps whose products are measured one by one. */
const PRODUCTS_OF = [mlp(512, 256), STEP_SIZES[0]];

/** Measures products and training steps on some backends, all of them in every round. The images are random bytes.
 *  @throws the signal's reason, once it is aborted. */
export async function benchmark(backends: readonly Backend[], options: BenchmarkOptions): Promise<BackendSpeed[]> {
  const plans = backends.map(planOf);
  const measurements = plans.flatMap(({ peaks, products, steps }) => [...peaks, ...products, ...steps]);
  await takeRounds(measurements, options);
  return plans.map(speedOf);
}

/** Something that is done again and again, and how fast that was in each round. */
class Measurement<Subject = unknown> {
  readonly subject: Subject;
  readonly #run: () => number | Promise<number>;
  readonly #rates: number[] = [];

  /** @param run does it once, and returns how much was done, in operations or images. */
  constructor(subject: Subject, run: () => number | Promise<number>) {
    this.subject = subject;
    this.#run = run;
  }

  /** One round. What is done first wakes the threads and brings the operands into the caches; it counts only if it alone
   *  takes the time of a round, and the engine has compiled it in an earlier one. */
  async takeRound(seconds: number): Promise<void> {
    const first = await this.#take(0);
    const isEnough = this.#rates.length > 0 && first.elapsed >= seconds;
    const { done, elapsed } = isEnough ? first : await this.#take(seconds);
    this.#rates.push(done / elapsed);
  }

  /** Does it once, and again until so much time has passed. */
  async #take(seconds: number): Promise<{ done: number; elapsed: number }> {
    const started = performance.now();
    let [done, elapsed] = [0, 0];
    do {
      done += await this.#run();
      elapsed = (performance.now() - started) / 1000;
    } while (elapsed < seconds);
    return { done, elapsed };
  }

  /** The median over the rounds, each second. */
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

/** What is measured on one backend. */
interface Plan {
  readonly precision: Precision;
  readonly peaks: readonly Measurement<Precision>[];
  readonly products: readonly Measurement<ProductSize>[];
  readonly steps: readonly Measurement<StepSize>[];
}

function planOf(backend: Backend): Plan {
  const fits = (operations: number) => backend instanceof WasmBackend || operations <= MOST_PLAIN_OPERATIONS;
  const products = PRODUCTS_OF.flatMap(productsOf).filter((size) => fits(operationsOf(size)));
  const steps = STEP_SIZES.filter((size) => fits(sum(productsOf(size).map(operationsOf))));
  const images = randomImages(backend);
  return {
    precision: backend.precision,
    peaks: peaksOf(backend),
    products: products.map((size) => new Measurement(size, productOf(backend, size))),
    steps: steps.map((size) => new Measurement(size, stepOf(backend, images, size))),
  };
}

function peaksOf(backend: Backend): Measurement<Precision>[] {
  if (!(backend instanceof WasmBackend)) return [];
  const arithmetics: Precision[] = backend.precision === 'int16' ? ['int16', 'float32'] : ['float32'];
  return arithmetics.map((arithmetic) => {
    const rows = fastestRows(backend, arithmetic);
    return new Measurement(arithmetic, () => backend.products.runPeak(arithmetic, rows));
  });
}

/** The height at which the innermost loop is fastest; its largest one need not be. */
function fastestRows(backend: WasmBackend, arithmetic: Precision): number {
  const rates = new Array<number>(backend.products.tileRows(arithmetic)).fill(0);
  const end = performance.now() + CHOICE_MS;
  while (performance.now() < end) {
    for (let i = 0; i < rates.length; i++) {
      const started = performance.now();
      const operations = backend.products.runPeak(arithmetic, i + 1);
      rates[i] = Math.max(rates[i], operations / (performance.now() - started));
    }
  }
  return 1 + rates.indexOf(Math.max(...rates));
}

/** Takes a whole step of the trainer, with the augmentation of the model's recipe, and returns the number of images. */
function stepOf(backend: Backend, images: ImageSet, { model: name, hidden, batchSize }: StepSize) {
  const config = resolveConfig({
    ...{ model: name, batchSize, precision: backend.precision, val: 0 },
    ...(hidden === null ? {} : { hidden }),
    // Without an end, and without getting anywhere: the images mean nothing.
    ...{ epochs: 1e9, lr: LEARNING_RATE, schedule: 'constant', warmup: 0 },
  });
  const model = buildModel(backend, config, batchSize);
  initialise(model, config);
  const train = rows(Math.floor(IMAGES / batchSize) * batchSize);
  const events = new Trainer(model, images, { train, validation: new Uint32Array() }, config).run();
  return async () => {
    while ((await events.next()).value?.type !== 'step');
    return batchSize;
  };
}

function randomImages(backend: Backend): ImageSet {
  const set = backend.imageSet(IMAGES);
  const random = new Random(0, 'benchmark', 'images');
  const words = new Uint32Array(set.images.buffer, set.images.byteOffset, set.images.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  for (let i = 0; i < IMAGES; i++) set.labels[i] = random.integer(CLASSES);
  return set;
}

function speedOf({ precision, peaks, products, steps }: Plan): BackendSpeed {
  const rates = new Map(peaks.map(({ subject, rate }) => [subject, rate]));
  const arithmeticOf = ({ ofImages }: ProductSize) => (ofImages ? precision : 'float32');
  const secondsAtPeak = (size: ProductSize) => operationsOf(size) / rates.get(arithmeticOf(size))!;
  const share = (value: () => number) => (rates.size > 0 ? value() : null);
  return {
    peak: rates.size > 0 ? { float32: rates.get('float32')!, int16: rates.get('int16') ?? null } : null,
    products: products.map(({ subject, rate }) => ({
      ...subject,
      arithmetic: arithmeticOf(subject),
      operationsPerSecond: rate,
      share: share(() => (secondsAtPeak(subject) * rate) / operationsOf(subject)),
    })),
    steps: steps.map(({ subject, rate }) => ({
      ...subject,
      imagesPerSecond: rate,
      share: share(() => (sum(productsOf(subject).map(secondsAtPeak)) * rate) / subject.batchSize),
    })),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
