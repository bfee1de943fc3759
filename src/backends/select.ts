import type { Backend, Precision, SharedBackend } from './backend.ts';
import { ReferenceBackend, type ReferenceShared } from './reference/reference.ts';
import { createWasm, openWasm, UnsupportedError } from './wasm/create.ts';
import type { Engine } from './wasm/node/engine.ts';
import type { WasmShared } from './wasm/wasm.ts';

/** `auto` is wasm if the JavaScript engine supports it, otherwise reference. */
export type BackendChoice = 'auto' | 'wasm' | 'reference';

/** Options of `createBackend`. */
export interface BackendOptions {
  /** Default: auto. */
  readonly backend?: BackendChoice;
  /** The arithmetic of products with the images; int8 by default. To train, that of the configuration. */
  readonly precision?: Precision;
  /** Threads of the wasm backend; by default one per physical core that the process may use. */
  readonly threads?: number | undefined;
  /** Whether V8 flags, some of them experimental, may be set for this process; true by default. */
  readonly v8Flags?: boolean;
}

/** Starts a backend. Only `auto` falls back to another backend, and gives the reason in `info.notes`.
 *
 *  @param engine the features of the JavaScript engine; detected by default.
 *  @throws UnsupportedError if the engine cannot run the chosen backend; UserError if the backend fails to start. */
export async function createBackend(options: BackendOptions = {}, engine?: Engine): Promise<Backend> {
  const { backend = 'auto', precision = 'int8', threads, v8Flags = true } = options;
  if (backend === 'reference') return new ReferenceBackend('float32', precision);
  try {
    return await createWasm({ precision, threads, v8Flags, engine });
  } catch (error) {
    if (backend === 'wasm' || !(error instanceof UnsupportedError)) throw error;
    return new ReferenceBackend('float32', precision, [`using the slow reference backend: ${error.reason}`]);
  }
}

/** Options of `openShared`. */
export interface OpenOptions {
  /** By default that of the backend that was shared. */
  readonly precision?: Precision | undefined;
  /** Default: 1. */
  readonly threads?: number | undefined;
}

/** Opens a backend like one that was shared, on any thread of the process. It has tensors of its own, and reads
 *  `shared.sets` without a copy. Backends that share memory take the address space of one.
 *
 *  @param shared what `Backend.share` returned, here or on the thread that posted it.
 *  @throws UserError if memory is missing, or a thread does not start; UnsupportedError if the kernels of another precision
 *  give wrong results. */
export async function openShared(shared: SharedBackend, options: OpenOptions = {}): Promise<Backend> {
  if (shared.name === 'wasm') return openWasm(shared as WasmShared, options);
  const { dtype, precision, notes } = shared as ReferenceShared;
  return new ReferenceBackend(dtype, options.precision ?? precision, notes);
}

/** Whether float32 products of backends that are opened from `shared` use fused multiply-add: then their bits are others. */
export function fusesProducts(shared: SharedBackend): boolean {
  return shared.name === 'wasm' && (shared as WasmShared).engine.fma;
}
