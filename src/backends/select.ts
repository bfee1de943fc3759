import type { Backend, Precision } from './backend.ts';
import { ReferenceBackend } from './reference/reference.ts';
import { createWasm, UnsupportedError } from './wasm/create.ts';
import type { Engine } from './wasm/node/engine.ts';

/** `auto` is wasm if the JavaScript engine supports it, otherwise reference. */
export type BackendChoice = 'auto' | 'wasm' | 'reference';

/** Options of `createBackend`. */
export interface BackendOptions {
  /** Default: auto. */
  readonly backend?: BackendChoice;
  /** The arithmetic of products with the images; int16 by default. To train, that of the configuration. */
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
  const { backend = 'auto', precision = 'int16', threads, v8Flags = true } = options;
  if (backend === 'reference') return new ReferenceBackend('float32', precision);
  try {
    return await createWasm({ precision, threads, v8Flags, engine });
  } catch (error) {
    if (backend === 'wasm' || !(error instanceof UnsupportedError)) throw error;
    return new ReferenceBackend('float32', precision, [`using the slow reference backend: ${error.reason}`]);
  }
}
