import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { Backend } from '../backends/backend.ts';

/** What a run was made with. */
export interface Environment {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly backend: string;
  readonly dtype: string;
}

/** The version of this package. */
export const VERSION: string = createRequire(import.meta.url)('nn-train/package.json').version;

export function describeEnvironment(backend: Backend): Environment {
  return {
    version: VERSION,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    backend: backend.name,
    dtype: backend.dtype,
  };
}
