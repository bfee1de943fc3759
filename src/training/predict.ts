import { DivergedError } from '../errors.ts';
import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { rows } from './batches.ts';
import { forwardBatches } from './evaluate.ts';

/** Computes the logits of a model for a set of images, without dropout or augmentation.
 *
 *  @param indices rows of the set; all by default.
 *  @returns logits [N, C], row-major, of N = indices.length images.
 *  @throws DivergedError if a logit is NaN or infinite; the signal's reason, once it is aborted. */
export async function predict(
  model: Model,
  set: ImageSet,
  indices: Uint32Array = rows(set.labels.length),
  signal?: AbortSignal,
): Promise<Float32Array> {
  const C = model.logits.shape[1];
  const logits = new Float32Array(indices.length * C);
  const batches = forwardBatches(model, set, indices, signal);
  for await (const { first } of batches) logits.set(await model.graph.backend.read(model.logits.tensor), first * C);
  expectFinite(logits);
  return logits;
}

/** @throws DivergedError if a logit is NaN or infinite. */
export function expectFinite(logits: Float32Array | Float64Array): void {
  if (logits.every(Number.isFinite)) return;
  throw new DivergedError('a logit is NaN or infinite: training diverged or the weights were changed');
}

/** Statistics of each hidden unit of a two-layer network over a set of images. */
export interface HiddenActivity {
  /** [H]: share of images for which the activation is positive; 0 for a dead ReLU. */
  readonly activeShare: Float64Array;
  /** [H]: mean |activation|. */
  readonly meanActivation: Float64Array;
}

/** Measures the activity of the hidden units on a set of images.
 *  @throws TypeError for a model without hidden units; the signal's reason, once it is aborted. */
export async function hiddenActivity(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<HiddenActivity> {
  if (!model.hidden) throw new TypeError('a linear classifier has no hidden units');
  const H = model.hidden.shape[1];
  const [activeShare, meanActivation] = [new Float64Array(H), new Float64Array(H)];
  for await (const _ of forwardBatches(model, set, indices, signal)) {
    const values = await model.graph.backend.read(model.hidden.tensor);
    for (let i = 0; i < values.length; i++) {
      if (values[i] > 0) activeShare[i % H] += 1 / indices.length;
      meanActivation[i % H] += Math.abs(values[i]) / indices.length;
    }
  }
  return { activeShare, meanActivation };
}

/** Returns the class with the highest logit in each row of [N, C]; on a tie, the first. */
export function predictedClasses(logits: Float32Array | Float64Array, C: number): Uint8Array {
  return Uint8Array.from({ length: logits.length / C }, (_, i) => {
    const row = logits.subarray(i * C, (i + 1) * C);
    return row.indexOf(Math.max(...row));
  });
}

/** Softmax of each row of logits [N, C], p_c = exp(s_c)/Σ_k exp(s_k): probabilities that sum to 1. Returns [N, C],
 *  row-major. */
export function softmaxRows(logits: ArrayLike<number>, C: number): Float64Array {
  const probabilities = Float64Array.from(logits);
  for (let at = 0; at < probabilities.length; at += C) {
    const row = probabilities.subarray(at, at + C);
    const highest = Math.max(...row);
    let sum = 0;
    for (let c = 0; c < C; c++) sum += row[c] = Math.exp(row[c] - highest);
    for (let c = 0; c < C; c++) row[c] /= sum;
  }
  return probabilities;
}
