import * as v from 'valibot';
import { count, imageCounts, sha256 } from '../documents/schema.ts';
import { BATCH_FILES } from './cifar10.ts';

/** Contents of `source.json`. */
export const STORE_RECORD = v.pipe(
  v.object({
    /** URL, without credentials, or path that the images came from. */
    source: v.string(),
    /** SHA-256 of each of the six files, in hexadecimal. */
    files: v.pipe(
      v.record(v.string(), sha256),
      v.check((files) => BATCH_FILES.every((name) => name in files), `a SHA-256 for each of ${BATCH_FILES.join(', ')}`),
      v.readonly(),
    ),
    /** Whether these are the published hashes. */
    official: v.boolean(),
    /** Absent in records of earlier versions, which stored only full sets. */
    images: v.optional(imageCounts),
  }),
  v.readonly(),
);

/** Contents of `PATH.part.json`. */
export const ORIGIN = v.pipe(
  v.object({
    /** Its URL, without credentials. */
    url: v.string(),
    /** Strong ETag or Last-Modified date; an unchanged validator means an unchanged file. */
    validator: v.optional(v.string()),
    /** Size of the complete file in bytes. */
    total: v.optional(count),
  }),
  v.readonly(),
);
