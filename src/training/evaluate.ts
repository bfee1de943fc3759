import type { BatchPlan, ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { plainBatch } from './batches.ts';
import { yieldToEventLoop } from './event-loop.ts';

export interface Metrics {
  /** Mean over the images; in nats for cross-entropy. */
  readonly loss: number;
  /** Share of images whose highest logit is that of their label, in [0, 1]. */
  readonly accuracy: number;
}

/** Loads a batch into the model and sets the batch size to that of the plan. */
export function loadBatch(model: Model, source: ImageSet, plan: BatchPlan): void {
  model.graph.batchSize = plan.indices.length;
  model.graph.backend.loadBatch(source, plan, model.images.tensor, model.labels.tensor);
}

/** Computes loss and accuracy on a set of images, without dropout, label smoothing or augmentation.
 *  @param indices rows of the set; at least one.
 *  @throws the signal's reason, once it is aborted. */
export async function evaluate(
  model: Model,
  set: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<Metrics> {
  const { graph } = model;
  const correct = graph.backend.allocate([]);
  let [lossSum, correctSum] = [0, 0];
  for (let at = 0; at < indices.length; at += graph.capacity) {
    const plan = plainBatch(indices.subarray(at, at + graph.capacity));
    loadBatch(model, set, plan);
    graph.forward();
    graph.backend.countCorrect(model.logits.tensor, model.labels.tensor, correct);
    lossSum += (await graph.backend.read(model.loss.tensor))[0] * plan.indices.length;
    correctSum += (await graph.backend.read(correct))[0];
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  return { loss: lossSum / indices.length, accuracy: correctSum / indices.length };
}
