import { UserError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import type { Precision } from '../backend.ts';
import { Device } from './device.ts';
import { Memory, reserve, type Space } from './memory.ts';
import { compile, type Program } from './module.ts';
import { availableCores } from './node/cores.ts';
import { detectEngine, type Engine, hasWebAssembly, withoutRevectorize } from './node/engine.ts';
import { ThreadStartError, Threads } from './node/threads.ts';
import { expectedResults, selfTest } from './self-test.ts';
import { WasmBackend, type WasmShared } from './wasm.ts';

export interface WasmOptions {
  readonly precision: Precision;
  /** Threads, including the main thread; by default one per physical core that the process may use. */
  readonly threads?: number | undefined;
  /** Whether V8 flags, some of them experimental, may be set for this process; true by default. */
  readonly v8Flags?: boolean;
  /** The features of the JavaScript engine; detected by default. */
  readonly engine?: Engine | undefined;
  /** The script that a worker thread runs. */
  readonly workerScript?: URL;
}

/** The JavaScript engine lacks a feature that the wasm backend needs. */
export class UnsupportedError extends UserError {
  override readonly name = 'UnsupportedError';
  readonly reason: string;

  constructor(reason: string) {
    super(message`${reason}; use ${field('backend', 'reference')}`);
    this.reason = reason;
  }
}

/** Starts a wasm backend: detects the engine's features, assembles and compiles the kernels, starts the threads and compares
 *  every kernel with the reference backend. If a result is wrong, it tries again without experimental features.
 *  @throws UnsupportedError without SIMD, or if results are wrong without experimental features; UserError if memory is
 *  missing, or if one of the `threads` that the options ask for does not start. */
export async function createWasm(options: WasmOptions): Promise<WasmBackend> {
  const { v8Flags = true } = options;
  const engine = options.engine ?? detectEngine({ v8Flags });
  if (!engine.simd) throw new UnsupportedError(`this engine has no WebAssembly${hasWebAssembly() ? ' SIMD' : ''}`);
  return startTested(engine, options, reserve(engine.threads));
}

/** Starts a wasm backend in the memory of another one, on one thread by default. It tests the kernels only if it uses others,
 *  because its precision differs.
 *  @throws as `createWasm` does. */
export async function openWasm(
  { engine, memory, precision, sets }: WasmShared,
  options: Pick<WasmOptions, 'threads'> & { readonly precision?: Precision | undefined },
): Promise<WasmBackend> {
  const wanted = { precision: options.precision ?? precision, threads: options.threads ?? 1, engine };
  if (!memory) return createWasm(wanted);
  const { space, program, ...choices } = memory;
  const isTested = wanted.precision === precision;
  const backend = await (isTested ? start(engine, wanted, { space, program }) : startTested(engine, wanted, space));
  if (isTested) Object.assign(backend.products, choices);
  backend.adopt(sets);
  return backend;
}

async function startTested(detected: Engine, options: WasmOptions, space: Space): Promise<WasmBackend> {
  const { precision } = options;
  let engine = detected;
  const notes: string[] = [];
  for (;;) {
    const starting = start(engine, options, { space, notes });
    // Meanwhile: threads take a while to start.
    void expectedResults(precision);
    const backend = await starting;
    let wrong: string | undefined = 'an error';
    try {
      wrong = await selfTestTiles(backend, engine);
    } finally {
      if (wrong !== undefined) backend.close();
    }
    if (wrong === undefined) return backend;
    if (engine.revectorize) engine = withoutRevectorize(engine);
    else if (engine.fma && precision === 'float32') engine = { ...engine, fma: false };
    else if (engine.int8 && precision === 'int8') engine = { ...engine, int8: false };
    else throw new UnsupportedError(`the wasm kernels give wrong results on this engine (${wrong})`);
    notes.push(`the self-test failed (${wrong}) and was repeated with fewer features`);
  }
}

interface StartOptions {
  readonly space: Space;
  readonly notes?: readonly string[];
  /** The kernels; compiled if left out. */
  readonly program?: Program;
}

async function start(engine: Engine, options: WasmOptions, { space, notes = [], ...given }: StartOptions) {
  const { precision } = options;
  const fma = engine.fma && precision === 'float32';
  const int8 = engine.int8 && precision === 'int8';
  // Each attempt needs different bytes, because V8 caches compiled modules by their bytes.
  const program = given.program ?? compile({ memory: space.limits, fma, int8, attempt: notes.length });
  const wanted = engine.threads ? (options.threads ?? availableCores()) : 1;
  const { memory, pool, reason } = await startThreads(program, space, wanted, options);
  const missing = [
    ...(engine.threads ? [] : ['this engine has no shared memory, so the backend runs on one thread']),
    ...(reason === undefined ? [] : [`running on ${pool.count} of ${wanted} threads: ${reason}`]),
    ...(engine.fma || precision !== 'float32' ? [] : ['this engine has no fused multiply-add, so float32 is slower']),
  ];
  const info = {
    threads: pool.count,
    vectorBits: engine.revectorize ? 256 : 128,
    fma,
    flags: engine.flags,
    notes: [...missing, ...notes],
  };
  const device = new Device({ memory, threads: pool, indices: program.indices, precision, fma });
  const backend = new WasmBackend(device, info, { engine, program });
  backend.products.usesBytes = int8;
  return backend;
}

/** Starts the threads, each time with memory of their own: threads that are being stopped may still use theirs. If a thread
 *  does not start and nobody asked for a certain number, it makes do with fewer, and returns the `reason`. */
async function startThreads({ module }: Program, space: Space, wanted: number, options: WasmOptions) {
  const { threads, workerScript = new URL('./node/worker.js', import.meta.url) } = options;
  let [count, reason]: [number, string | undefined] = [wanted, undefined];
  for (;;) {
    const memory = new Memory(space);
    try {
      return { memory, pool: await Threads.start(module, memory, count, workerScript), reason };
    } catch (error) {
      if (!(error instanceof ThreadStartError) || threads !== undefined) throw error;
      [count, reason] = [Math.min(count - 1, error.started), error.reason];
    }
  }
}

/** Runs the self-test with narrow tiles and, if V8 fuses vectors, with wide ones, and selects the faster kinds of tiles. Returns
 *  the first operation with a wrong result, if any. */
async function selfTestTiles(backend: WasmBackend, { revectorize }: Engine): Promise<string | undefined> {
  const { products } = backend;
  let wrong = await selfTest(backend);
  if (revectorize && wrong === undefined) {
    products.isWide = true;
    wrong = await selfTest(backend);
  }
  if (wrong !== undefined) return wrong;
  if (revectorize) products.isWide = wideIsFaster(backend);
  // Only some processors have instructions for bytes.
  if (products.usesBytes) products.usesBytes = bytesAreFaster(backend);
  backend.reset();
  return undefined;
}

/** Whether wide tiles are faster than narrow ones: times the innermost loop alone. */
function wideIsFaster({ products, precision }: WasmBackend): boolean {
  const arithmetic = precision === 'float32' ? 'float32' : 'int16';
  return isFaster((isWide) => {
    products.isWide = isWide;
    return products.runPeak(arithmetic, products.tileRows(arithmetic));
  });
}

/** Whether products of bytes are faster than the same in int16: times one with pixels, as the first layer of a model has. */
function bytesAreFaster(backend: WasmBackend): boolean {
  const [a, b, c] = [backend.allocate([60, 512]), backend.allocate([512, 64], 'pixel'), backend.allocate([60, 64])];
  return isFaster((usesBytes) => {
    backend.products.usesBytes = usesBytes;
    for (let i = 0; i < 4; i++) backend.matmul(a, b, { kind: 'store', tensor: c });
    return 1;
  });
}

/** Whether the rate of one way to work is higher than that of another, alternating between them. @param run returns the amount of
 *  work done. */
function isFaster(run: (way: boolean) => number): boolean {
  const best = { with: 0, without: 0 };
  for (let round = 0; round < 5; round++) {
    for (const way of ['with', 'without'] as const) {
      const started = performance.now();
      const done = run(way === 'with');
      best[way] = Math.max(best[way], done / (performance.now() - started));
    }
  }
  return best.with > best.without;
}
