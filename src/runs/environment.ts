import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { InferOutput } from 'valibot';
import type { Backend } from '../backends/backend.ts';
import type { ENVIRONMENT } from './decode.ts';

/** Software and hardware that a run was trained with. */
export type Environment = InferOutput<typeof ENVIRONMENT>;

/** Version of this package. */
export const VERSION: string = createRequire(import.meta.url)('nn-train/package.json').version;

export function describeEnvironment(backend: Backend): Environment {
  return {
    version: VERSION,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    backend: backend.name,
    dtype: backend.dtype,
    threads: backend.info.threads,
    vectorBits: backend.info.vectorBits,
    fma: backend.info.fma,
  };
}
