import * as v from 'valibot';
import { DATASET_LABEL, type DatasetName } from '../images.ts';
import { count, imageCounts, isObject, ordinal, sha256 } from '../schema.ts';

export const ENVIRONMENT = v.pipe(
  v.object({
    version: v.string(),
    node: v.string(),
    platform: v.string(),
    cpu: v.string(),
    backend: v.picklist(['wasm', 'reference']),
    dtype: v.string(),
    // Runs saved before the wasm backend existed lack the following.
    threads: v.optional(ordinal, 1),
    /** Width of the SIMD vectors; 0 without SIMD. */
    vectorBits: v.optional(count, 0),
    /** Whether multiplications and additions were fused. With float32, the bits of the result depend on it. */
    fma: v.optional(v.boolean(), false),
  }),
  v.readonly(),
);

/** Contents of a run's config.json. */
export const RUN_RECORD = v.object({
  /** Its fields are checked by `resolveConfig`. */
  config: v.custom<object>(isObject, 'an object'),
  dataset: v.pipe(
    v.object({
      name: v.picklist(Object.keys(DATASET_LABEL) as DatasetName[]),
      source: v.string(),
      sha256,
      /** Absent in runs of earlier versions, which had those of the published dataset. */
      images: v.optional(imageCounts),
    }),
    v.readonly(),
  ),
  environment: ENVIRONMENT,
});
