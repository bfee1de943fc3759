import type { Wire } from '../engine/wire.ts';
import type { ImageSet } from '../images.ts';
import { placedFilter } from '../models/dense.ts';
import { filterUse } from '../models/filter-use.ts';
import type { Model, ModelConfig } from '../models/model.ts';
import { rows } from '../training/batches.ts';
import { hiddenActivity } from '../training/predict.ts';

/** Contribution of a filter of a two-layer network to the logits. */
export interface FilterUse {
  /** Its row of `fc1.weight`. */
  readonly filter: number;
  /** By how much it moves the logits of an image, on average; see filterUse. */
  readonly use: number;
  /** For each of its hidden units, the share of images for which its activation is positive, in [0, 1]. */
  readonly activeShares: readonly number[];
}

/** Returns all filters of a two-layer network, sorted by their use on a set of images, most used first.
 *  @throws TypeError for a model without hidden units; the signal's reason, once it is aborted. */
export async function filtersByUse(model: Model, set: ImageSet, signal?: AbortSignal): Promise<FilterUse[]> {
  const { activeShare, meanActivation } = await hiddenActivity(model, set, rows(set.labels.length), signal);
  const [count] = weightOf(model, 'fc1.weight').shape;
  const uses = filterUse(meanActivation, await model.graph.backend.read(weightOf(model, 'fc2.weight').tensor), count);
  return Array.from(uses, (use, filter) => ({
    filter,
    use,
    // Units go by threshold, then filter.
    activeShares: Array.from({ length: activeShare.length / count }, (_, t) => activeShare[t * count + filter]),
  })).sort((a, b) => b.use - a.use || a.filter - b.filter);
}

/** Returns a function of a row of `fc1.weight` that gives its filter as an image [3072], zero outside its receptive field. */
export async function filterImages(model: Model, config: ModelConfig): Promise<(index: number) => Float64Array> {
  const values = await model.graph.backend.read(weightOf(model, 'fc1.weight').tensor);
  return (index) => placedFilter(config, values, index);
}

/** Returns the rows of a weight matrix: the ten templates in `linear.weight` [10, 3072]. */
export async function weightRows(model: Model, name: 'linear.weight'): Promise<(Float32Array | Float64Array)[]> {
  const { tensor, shape } = weightOf(model, name);
  const [units, inputs] = shape;
  const values = await model.graph.backend.read(tensor);
  return Array.from({ length: units }, (_, unit) => values.subarray(unit * inputs, (unit + 1) * inputs));
}

function weightOf({ graph }: Model, name: 'linear.weight' | 'fc1.weight' | 'fc2.weight'): Wire {
  return graph.parameters.find((wire) => wire.name === name)!;
}
