import type { InferOutput } from 'valibot';
import type { BatchPlan, ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { plainBatch, rows } from './batches.ts';
import { yieldToEventLoop } from './event-loop.ts';
import type { METRICS } from './schemas.ts';

/** Loss and accuracy on a set of images. */
export type Metrics = InferOutput<typeof METRICS>;

/** Loads a batch into the model and sets the batch size to that of the plan. */
export function loadBatch(model: Model, source: ImageSet, plan: BatchPlan): void {
  model.graph.batchSize = plan.indices.length;
  model.graph.backend.loadBatch(source, plan, model.images.tensor, model.labels.tensor);
}

/** Computes loss and accuracy on a set of images, without dropout, label smoothing or augmentation.
 *  @param indices rows of the set, at least one; all by default.
 *  @throws the signal's reason, once it is aborted. */
export function evaluate(
  model: Model,
  set: ImageSet,
  indices: Uint32Array = rows(set.labels.length),
  signal?: AbortSignal,
): Promise<Metrics> {
  return evaluateWith(model, set, indices, signal, () => {});
}

/** As `evaluate`. @param onBatch called after the forward pass of each batch, with the position in `indices` of its first image. */
export async function evaluateWith(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  signal: AbortSignal | undefined,
  onBatch: (first: number) => void | Promise<void>,
): Promise<Metrics> {
  const { graph } = model;
  const correct = graph.backend.allocate([]);
  let [lossSum, correctSum] = [0, 0];
  for await (const { first, size } of forwardBatches(model, set, indices, signal)) {
    await onBatch(first);
    graph.backend.countCorrect(model.logits.tensor, model.labels.tensor, correct);
    lossSum += (await graph.backend.read(model.loss.tensor))[0] * size;
    correctSum += (await graph.backend.read(correct))[0];
  }
  return { loss: lossSum / indices.length, accuracy: correctSum / indices.length };
}

/** Computes a forward pass of every batch, without dropout. The values are in the model's tensors until the next batch.
 *  @param indices rows of the set. @param planOf how the images of a batch are seen; unmodified by default.
 *  @returns for each batch its size, and the position in `indices` of its first image.
 *  @throws the signal's reason, once it is aborted. */
export async function* forwardBatches(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
  planOf: (batch: Uint32Array) => BatchPlan = plainBatch,
): AsyncGenerator<{ readonly first: number; readonly size: number }, void> {
  const { graph } = model;
  for (let first = 0; first < indices.length; first += graph.capacity) {
    const batch = indices.subarray(first, first + graph.capacity);
    loadBatch(model, set, planOf(batch));
    graph.forward();
    yield { first, size: batch.length };
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
}
