import { UserError } from '../../errors.ts';
import type { Precision } from '../backend.ts';
import { Device } from './device.ts';
import { Memory } from './memory.ts';
import { assemble } from './module.ts';
import { availableCores } from './node/cores.ts';
import { detectEngine, type Engine, withoutRevectorize } from './node/engine.ts';
import { Threads } from './node/threads.ts';
import { selfTest } from './self-test.ts';
import { WasmBackend } from './wasm.ts';

export interface WasmOptions {
  readonly precision: Precision;
  /** Threads, this one among them; one for each physical core that the process may use unless it is given. */
  readonly threads?: number | undefined;
  /** Whether flags of V8 may be set for this process, some of them experimental. */
  readonly v8Flags?: boolean;
  /** What the engine offers, in place of looking. */
  readonly engine?: Engine | undefined;
  /** The program of a worker thread. */
  readonly workerScript?: URL;
}

/** The engine lacks what the wasm backend cannot do without. */
export class UnsupportedError extends UserError {
  override readonly name = 'UnsupportedError';
}

/** Starts a wasm backend: looks at the engine, assembles and compiles the kernels, starts the threads and compares every
 *  kernel with the reference backend. What V8 offers only experimentally is given up if a result is wrong with it.
 *  @throws UnsupportedError without SIMD, or if results are wrong without anything experimental; UserError if there is no
 *  memory or a thread does not start. */
export async function createWasm(options: WasmOptions): Promise<WasmBackend> {
  const { precision, v8Flags = true } = options;
  let engine = options.engine ?? detectEngine({ v8Flags, wantsFma: precision === 'float32' });
  if (!engine.simd) throw new UnsupportedError('this engine has no WebAssembly SIMD; take --backend reference');
  const notes: string[] = [];
  for (;;) {
    const backend = await start(engine, options, notes);
    let wrong: string | undefined = 'an error';
    try {
      wrong = await firstFault(backend, engine);
    } finally {
      if (wrong !== undefined) backend.close();
    }
    if (wrong === undefined) return backend;
    if (engine.revectorize) engine = withoutRevectorize(engine);
    else if (engine.fma && precision === 'float32') engine = { ...engine, fma: false };
    else
      throw new UnsupportedError(
        `the wasm kernels give wrong results on this engine (${wrong}); take --backend reference`,
      );
    notes.push(`the self-test failed (${wrong}), so it was repeated with fewer features`);
  }
}

async function start(engine: Engine, options: WasmOptions, notes: readonly string[]): Promise<WasmBackend> {
  const { precision, workerScript = new URL('./node/worker.js', import.meta.url) } = options;
  const threads = engine.threads ? (options.threads ?? availableCores()) : 1;
  const isShared = engine.threads;
  const memory = new Memory(isShared);
  const fma = engine.fma && precision === 'float32';
  // The number of notes makes other bytes of another attempt: V8 keeps what it compiled for the same ones.
  const { bytes, indices } = assemble({ memory: memory.limits, fma, attempt: notes.length });
  const pool = await Threads.start(new WebAssembly.Module(bytes), memory, threads, workerScript);
  const missing = [
    ...(isShared ? [] : ['this engine has no shared memory, so there is one thread']),
    ...(engine.fma || precision === 'int16' ? [] : ['this engine has no fused multiply-add, so float32 is slower']),
  ];
  const info = {
    threads,
    vectorBits: engine.revectorize ? 256 : 128,
    fma,
    flags: engine.flags,
    notes: [...missing, ...notes],
  };
  return new WasmBackend(new Device({ memory, threads: pool, indices, precision, fma }), info);
}

/** Tests the tiles that can be chosen, and leaves the faster ones chosen. */
async function firstFault(backend: WasmBackend, { revectorize }: Engine): Promise<string | undefined> {
  const narrow = await selfTest(backend);
  if (!revectorize || narrow !== undefined) return narrow;
  backend.products.isWide = true;
  const wide = await selfTest(backend);
  if (wide === undefined) backend.products.isWide = isWideFaster(backend);
  return wide;
}

/** Times a product with either kind of tiles, in turns. */
function isWideFaster(backend: WasmBackend): boolean {
  const [a, b, c] = [backend.allocate([60, 512]), backend.allocate([512, 64]), backend.allocate([60, 64])];
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
