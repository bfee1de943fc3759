import type { Wire } from '../engine/wire.ts';
import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { plainBatch } from './batches.ts';
import { loadBatch } from './evaluate.ts';
import { yieldToEventLoop } from './event-loop.ts';

/** What a model makes of some images, without dropout or augmentation.
 *
 *  @param indices rows of the set; at least one.
 *  @returns logits [N, C], row by row. @throws the signal's reason, once it is aborted. */
export async function predict(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const C = model.logits.shape[1];
  const logits = new Float32Array(indices.length * C);
  await overBatches(model, set, indices, model.logits, (values, first) => logits.set(values, first * C), signal);
  return logits;
}

/** What the hidden units of a two-layer network do on some images. */
export interface HiddenActivity {
  /** [H]: the share of the images for which the activation is above zero. A ReLU with 0 is dead. */
  readonly activeShare: Float64Array;
  /** [H]: the mean of |activation|. */
  readonly meanActivation: Float64Array;
}

/** @throws TypeError for a model without hidden units. */
export async function hiddenActivity(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<HiddenActivity> {
  if (!model.hidden) throw new TypeError('a linear classifier has no hidden units');
  const H = model.hidden.shape[1];
  const [activeShare, meanActivation] = [new Float64Array(H), new Float64Array(H)];
  const add = (values: ArrayLike<number>) => {
    for (let i = 0; i < values.length; i++) {
      if (values[i] > 0) activeShare[i % H] += 1 / indices.length;
      meanActivation[i % H] += Math.abs(values[i]) / indices.length;
    }
  };
  await overBatches(model, set, indices, model.hidden, add, signal);
  return { activeShare, meanActivation };
}

/** The class of the highest logit in each row of [N, C]; the first one of several. */
export function predictedClasses(logits: Float32Array, C: number): Uint8Array {
  return Uint8Array.from({ length: logits.length / C }, (_, i) => {
    const row = logits.subarray(i * C, (i + 1) * C);
    return row.indexOf(Math.max(...row));
  });
}

/** Softmax of each row of logits [N, C]: probabilities that sum to 1. */
export function softmaxRows(logits: ArrayLike<number>, C: number): Float64Array {
  const probabilities = Float64Array.from(logits);
  for (let at = 0; at < probabilities.length; at += C) {
    const row = probabilities.subarray(at, at + C);
    const largest = Math.max(...row);
    let sum = 0;
    for (let c = 0; c < C; c++) sum += row[c] = Math.exp(row[c] - largest);
    for (let c = 0; c < C; c++) row[c] /= sum;
  }
  return probabilities;
}

/** Hands on the values of a wire for every batch, with the number of the batch's first image. */
async function overBatches(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  wire: Wire,
  take: (values: Float32Array | Float64Array, first: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { graph } = model;
  for (let at = 0; at < indices.length; at += graph.capacity) {
    loadBatch(model, set, plainBatch(indices.subarray(at, at + graph.capacity)));
    graph.forward();
    take(await graph.backend.read(wire.tensor), at);
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
}
