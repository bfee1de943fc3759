import { UsageError } from '../errors.ts';
import type { BatchPlan } from '../images.ts';
import { field, message } from '../message.ts';
import { Random } from '../random.ts';

/** The split must not depend on the seed: runs that differ in their seed are compared on the same validation images. */
const SPLIT_SEED = 0;

export interface Split {
  /** Rows of the training set that are trained on. */
  readonly train: Uint32Array;
  /** Rows that are held out. */
  readonly validation: Uint32Array;
}

/** Holds `val` randomly chosen images out of `count`; the others, or the first `limit` of them, are trained on.
 *  @throws UsageError if nothing is left to train on. */
export function splitTrainingSet(count: number, val: number, limit: number | null): Split {
  if (val >= count) {
    throw new UsageError(
      message`${field('val')} must leave images to train on: wanted a number below ${count}, got ${val}`,
    );
  }
  const order = new Random(SPLIT_SEED, 'split').shuffle(rows(count));
  return { validation: order.slice(0, val), train: order.slice(val, limit === null ? undefined : val + limit) };
}

/** The integers from 0 to count − 1. */
export function rows(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}

/** The order of an epoch: the rows, shuffled by the seed and the epoch alone. @param epoch counted from 1. */
export function shuffled(train: Uint32Array, seed: number, epoch: number): Uint32Array {
  return new Random(seed, 'order', epoch).shuffle(train.slice());
}

/** A batch of images as they are. */
export function plainBatch(indices: Uint32Array): BatchPlan {
  const B = indices.length;
  return { indices, flip: new Uint8Array(B), shiftX: new Int8Array(B), shiftY: new Int8Array(B) };
}

/** A batch in which every image is flipped with probability ½ and shifted by up to `shift` pixels each way, drawn from
 *  the seed and the step alone. */
export function augmentedBatch(
  indices: Uint32Array,
  { flip, shift, seed, step }: { flip: boolean; shift: number; seed: number; step: number },
): BatchPlan {
  const random = new Random(seed, 'augmentation', step);
  const plan = plainBatch(indices);
  for (let b = 0; b < indices.length; b++) {
    if (flip) plan.flip[b] = random.integer(2);
    if (shift === 0) continue;
    plan.shiftX[b] = random.integer(2 * shift + 1) - shift;
    plan.shiftY[b] = random.integer(2 * shift + 1) - shift;
  }
  return plan;
}
