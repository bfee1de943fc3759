import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { Backend } from '../backends/backend.ts';

/** Software and hardware that a run was trained with. */
export interface Environment {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly backend: Backend['name'];
  readonly dtype: string;
  readonly threads: number;
  /** Width of the SIMD vectors; 0 without SIMD. */
  readonly vectorBits: number;
  /** Whether multiplications and additions were fused. With float32, the bits of the result depend on it. */
  readonly fma: boolean;
}

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
