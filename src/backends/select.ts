import type { Backend, Precision } from './backend.ts';
import { ReferenceBackend } from './reference/reference.ts';
import { createWasm, UnsupportedError } from './wasm/create.ts';
import type { Engine } from './wasm/node/engine.ts';

/** `auto` is wasm where the engine has what that needs, and else reference. */
export type BackendChoice = 'auto' | 'wasm' | 'reference';

export interface BackendOptions {
  readonly backend?: BackendChoice;
  /** How products with the images are computed; int16 unless it is given. */
  readonly precision?: Precision;
  /** Threads of the wasm backend; one for each physical core that the process may use unless it is given. */
  readonly threads?: number | undefined;
  /** Whether flags of V8, some of them experimental, may be set for this process; true unless it is given. */
  readonly v8Flags?: boolean;
}

/** Starts a backend. One that was named never gives way to another; `auto` says in `info.notes` why it did.
 *
 *  @param engine what the JavaScript engine offers, in place of looking.
 *  @throws UnsupportedError if the engine cannot run the one that was named; UserError if it does not start. */
export async function createBackend(options: BackendOptions = {}, engine?: Engine): Promise<Backend> {
  const { backend = 'auto', precision = 'int16', threads, v8Flags = true } = options;
  if (backend === 'reference') return new ReferenceBackend('float32', precision);
  try {
    return await createWasm({ precision, threads, v8Flags, engine });
  } catch (error) {
    if (backend === 'wasm' || !(error instanceof UnsupportedError)) throw error;
    return new ReferenceBackend('float32', precision, [`the slow reference backend was chosen: ${error.message}`]);
  }
}
