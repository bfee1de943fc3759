import { UserError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import type { Precision } from '../backend.ts';
import { Device } from './device.ts';
import { Memory } from './memory.ts';
import { assemble } from './module.ts';
import { availableCores } from './node/cores.ts';
import { detectEngine, type Engine, hasWebAssembly, withoutRevectorize } from './node/engine.ts';
import { ThreadStartError, Threads } from './node/threads.ts';
import { selfTest } from './self-test.ts';
import { WasmBackend } from './wasm.ts';

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
  const { precision, v8Flags = true } = options;
  let engine = options.engine ?? detectEngine({ v8Flags, wantsFma: precision === 'float32' });
  if (!engine.simd) throw new UnsupportedError(`this engine has no WebAssembly${hasWebAssembly() ? ' SIMD' : ''}`);
  const notes: string[] = [];
  for (;;) {
    const backend = await start(engine, options, notes);
    let wrong: string | undefined = 'an error';
    try {
      wrong = await selfTestTiles(backend, engine);
    } finally {
      if (wrong !== undefined) backend.close();
    }
    if (wrong === undefined) return backend;
    if (engine.revectorize) engine = withoutRevectorize(engine);
    else if (engine.fma && precision === 'float32') engine = { ...engine, fma: false };
    else throw new UnsupportedError(`the wasm kernels give wrong results on this engine (${wrong})`);
    notes.push(`the self-test failed (${wrong}) and was repeated with fewer features`);
  }
}

async function start(engine: Engine, options: WasmOptions, notes: readonly string[]): Promise<WasmBackend> {
  const { precision } = options;
  const isShared = engine.threads;
  const fma = engine.fma && precision === 'float32';
  const wanted = isShared ? (options.threads ?? availableCores()) : 1;
  const { memory, pool, indices, reason } = await startThreads(wanted, {
    ...options,
    isShared,
    fma,
    attempt: notes.length,
  });
  const missing = [
    ...(isShared ? [] : ['this engine has no shared memory, so the backend runs on one thread']),
    ...(reason === undefined ? [] : [`running on ${pool.count} of ${wanted} threads: ${reason}`]),
    ...(engine.fma || precision === 'int16' ? [] : ['this engine has no fused multiply-add, so float32 is slower']),
  ];
  const info = {
    threads: pool.count,
    vectorBits: engine.revectorize ? 256 : 128,
    fma,
    flags: engine.flags,
    notes: [...missing, ...notes],
  };
  return new WasmBackend(new Device({ memory, threads: pool, indices, precision, fma }), info);
}

interface StartOptions extends WasmOptions {
  readonly isShared: boolean;
  readonly fma: boolean;
  readonly attempt: number;
}

/** Starts the threads, each time with a memory of their own: threads that are being stopped may still use the old one.
 *  If a thread does not start and nobody asked for a certain number, it makes do with fewer, and returns the `reason`. */
async function startThreads(wanted: number, options: StartOptions) {
  const { isShared, fma, attempt, workerScript = new URL('./node/worker.js', import.meta.url) } = options;
  let [count, reason]: [number, string | undefined] = [wanted, undefined];
  for (;;) {
    const memory = new Memory(isShared);
    // Each attempt needs different bytes, because V8 caches compiled modules by their bytes.
    const { bytes, indices } = assemble({ memory: memory.limits, fma, attempt });
    try {
      const pool = await Threads.start(new WebAssembly.Module(bytes), memory, count, workerScript);
      return { memory, pool, indices, reason };
    } catch (error) {
      if (!(error instanceof ThreadStartError) || options.threads !== undefined) throw error;
      [count, reason] = [Math.min(count - 1, error.started), error.reason];
    }
  }
}

/** Runs the self-test with narrow tiles and, if V8 fuses vectors, with wide ones, and selects the faster kind. Returns the
 *  first operation with a wrong result, if any. */
async function selfTestTiles(backend: WasmBackend, { revectorize }: Engine): Promise<string | undefined> {
  const narrow = await selfTest(backend);
  if (!revectorize || narrow !== undefined) return narrow;
  backend.products.isWide = true;
  const wide = await selfTest(backend);
  if (wide === undefined) backend.products.isWide = isWideFaster(backend);
  return wide;
}

/** Times a product with both kinds of tiles, alternating between them: one with pixels, as the first layer of a model has,
 *  because in int16 wide tiles gain more than in float32. */
function isWideFaster(backend: WasmBackend): boolean {
  const [a, b, c] = [backend.allocate([60, 512]), backend.allocate([512, 64], 'pixel'), backend.allocate([60, 64])];
  const best = { wide: Infinity, narrow: Infinity };
  for (let round = 0; round < 5; round++) {
    for (const kind of ['wide', 'narrow'] as const) {
      backend.products.isWide = kind === 'wide';
      const started = performance.now();
      for (let i = 0; i < 4; i++) backend.matmul(a, b, { kind: 'store', tensor: c });
      best[kind] = Math.min(best[kind], performance.now() - started);
    }
  }
  return best.wide < best.narrow;
}
