import { UsageError } from '../errors.ts';
import type { BatchPlan } from '../images.ts';
import { field, message } from '../message.ts';
import { Random } from '../random.ts';

/** Fixed, because runs with different seeds must be compared on the same validation images. */
const SPLIT_SEED = 0;

export interface Split {
  /** Rows of the training set to train on. */
  readonly train: Uint32Array;
  /** Rows held out for validation. */
  readonly validation: Uint32Array;
}

/** Splits `count` images at random: `val` are held out for validation; the others, or the first `limit` of them, are for
 *  training. @throws UsageError if nothing is left to train on. */
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

/** Order of the rows in an epoch; depends only on the seed and the epoch. @param epoch counted from 1. */
export function shuffled(train: Uint32Array, seed: number, epoch: number): Uint32Array {
  return new Random(seed, 'order', epoch).shuffle(train.slice());
}

/** A batch of unaugmented images. */
export function plainBatch(indices: Uint32Array): BatchPlan {
  const B = indices.length;
  return { indices, flip: new Uint8Array(B), shiftX: new Int8Array(B), shiftY: new Int8Array(B) };
}

/** A batch in which every image is flipped with probability ½ and shifted by at most `shift` pixels in each direction.
 *  Depends only on the seed and the step. */
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
