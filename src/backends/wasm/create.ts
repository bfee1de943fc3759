import v8 from 'node:v8';
import type { Precision } from '../backend.ts';
import { Memory } from './memory.ts';
import { assemble } from './module.ts';
import { Threads } from './threads.ts';
import { WasmBackend } from './wasm.ts';

export async function createWasm(
  options: { precision?: Precision; threads?: number; revec?: boolean; noLiftoff?: boolean } = {},
) {
  const { precision = 'int16', threads = 2 } = options;
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 22) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const revec = options.revec ?? major >= 24;
  if (revec) v8.setFlagsFromString('--experimental-wasm-revectorize');
  if (options.noLiftoff ?? true) v8.setFlagsFromString('--no-liftoff');
  const memory = new Memory(true);
  const t0 = performance.now();
  const { bytes, indices } = assemble({ memory: memory.limits, fma: precision === 'float32' });
  const t1 = performance.now();
  const module = new WebAssembly.Module(bytes);
  const t2 = performance.now();
  const pool = await Threads.start(module, memory, threads, new URL('./worker.js', import.meta.url));
  const t3 = performance.now();
  if (process.env.DEBUG_T)
    console.error(
      'assemble',
      (t1 - t0).toFixed(1),
      'compile',
      (t2 - t1).toFixed(1),
      'threads',
      (t3 - t2).toFixed(1),
      bytes.length,
      'bytes',
    );
  return new WasmBackend({ memory, threads: pool, indices, precision, isWide: revec });
}
