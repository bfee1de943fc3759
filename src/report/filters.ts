import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { rows } from '../training/batches.ts';
import { hiddenActivity } from '../training/predict.ts';

/** Contribution of a hidden unit of a two-layer network to the logits. */
export interface UnitUse {
  /** Index of the unit: its filter is this row of `fc1.weight`. */
  readonly unit: number;
  /** Mean |activation| × ‖column of `fc2.weight`‖₂: by how much the unit moves the logits of an image, on average. */
  readonly use: number;
  /** Share of images for which its activation is positive, in [0, 1]. */
  readonly activeShare: number;
}

/** Returns all hidden units of a two-layer network, sorted by their use on a set of images, most used first.
 *  @throws TypeError for a model without hidden units; the signal's reason, once it is aborted. */
export async function unitsByUse(model: Model, set: ImageSet, signal?: AbortSignal): Promise<UnitUse[]> {
  const { activeShare, meanActivation } = await hiddenActivity(model, set, rows(set.labels.length), signal);
  const norms = await outputNorms(model);
  return Array.from(activeShare, (share, unit) => ({
    unit,
    use: meanActivation[unit] * norms[unit],
    activeShare: share,
  })).sort((a, b) => b.use - a.use || a.unit - b.unit);
}

/** ‖fc2.weight[:, j]‖₂ for each hidden unit j. */
async function outputNorms(model: Model): Promise<Float64Array> {
  const classes = await weightRows(model, 'fc2.weight');
  return Float64Array.from(classes[0], (_, j) => Math.hypot(...classes.map((row) => row[j])));
}

/** Returns the rows of a weight matrix, such as the ten templates in `linear.weight` [10, 3072]. */
export async function weightRows(
  { graph }: Model,
  name: 'linear.weight' | 'fc1.weight' | 'fc2.weight',
): Promise<(Float32Array | Float64Array)[]> {
  const { tensor, shape } = graph.parameters.find((wire) => wire.name === name)!;
  const [units, inputs] = shape;
  const values = await graph.backend.read(tensor);
  return Array.from({ length: units }, (_, unit) => values.subarray(unit * inputs, (unit + 1) * inputs));
}
