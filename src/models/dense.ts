import { UsageError, UserError } from '../errors.ts';
import { CHANNELS, type Corner, IMAGE_BYTES, IMAGE_SIDE, layOut, PLANE_BYTES, placeInImage } from '../images.ts';
import { layoutOf } from './mlp.ts';
import type { ModelConfig } from './model.ts';

type Values = Float32Array | Float64Array;

/** A matrix or a vector, row-major. */
export interface DenseTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Largest first layer that is written out, in bytes. */
const MAX_BYTES = 2 ** 31;

/** Writes a trained model as the plain network that gives the same logits: a linear classifier, `linear.weight` [10, 3072] and
 *  `linear.bias`; or logits = relu(X W₁ᵀ + b₁) W₂ᵀ + b₂, `fc1.weight` [H, 3072], `fc1.bias`, `fc2.weight` [10, H], `fc2.bias`.
 *
 *  A filter of a receptive field is a row of zeros with the filter at its place. With T units for each filter, T rows have it,
 *  with the signs +, −, +, −. A view is a linear map S of the pixels, so W S X is what its hidden units see: the network that
 *  averages the logits of V views has V·H hidden units, and W₂ divided by V. So it is with the mirror image that a model sees,
 *  too, but for the division: scores of both are added.
 *  @param parameters of the model, by name.
 *  @param views for each, the pixel of the image that each of its 1024 pixels shows; a pixel may be shown twice.
 *  @throws UsageError if the hidden units are not rectified linear; UserError if W₁ takes more than 2 GiB. */
export function denseNetwork(
  config: ModelConfig,
  parameters: ReadonlyMap<string, Values>,
  views: readonly ArrayLike<number>[],
): Map<string, DenseTensor> {
  const valuesOf = (name: string) => parameters.get(name)!;
  if (config.model === 'linear') {
    const [weight, bias] = [valuesOf('linear.weight'), valuesOf('linear.bias')];
    return new Map([
      ['linear.weight', averageOverViews(weight, views)],
      ['linear.bias', vector(bias)],
    ]);
  }
  expectRectified(config);
  const bias = valuesOf('fc1.bias');
  const sides = sidesOf(views, config.mirror);
  return new Map([
    ['fc1.weight', firstLayer(config, valuesOf('fc1.weight'), sides)],
    ['fc1.bias', vector(sides.flatMap(() => Array.from(bias)))],
    ['fc2.weight', secondLayer(valuesOf('fc2.weight'), bias.length, sides)],
    ['fc2.bias', vector(valuesOf('fc2.bias').map((b) => (config.mirror ? 2 * b : b)))],
  ]);
}

/** The pixels that a copy of the hidden units sees, and the share of its scores in those of the network. */
interface Side {
  readonly sources: ArrayLike<number>;
  readonly share: number;
}

/** The different sides of an image that the hidden units see in all views. */
function sidesOf(views: readonly ArrayLike<number>[], mirror: boolean): Side[] {
  const sides = new Map<string, Side>();
  for (const view of views) {
    for (const sources of mirror ? [view, mirrored(view)] : [view]) {
      const key = Array.from(sources).join();
      const { share } = sides.get(key) ?? { share: 0 };
      sides.set(key, { sources, share: share + 1 / views.length });
    }
  }
  return [...sides.values()];
}

/** The mirror image of a view. */
function mirrored(view: ArrayLike<number>): ArrayLike<number> {
  return Array.from(view, (_, pixel) => view[pixel - (pixel % IMAGE_SIDE) + IMAGE_SIDE - 1 - (pixel % IMAGE_SIDE)]);
}

function expectRectified({ activation }: ModelConfig): void {
  if (['relu', 'crelu', 'multi-bias'].includes(activation)) return;
  throw new UsageError(
    `a network of ${activation} units is not a network of ReLU units; the activation has to be relu, crelu or multi-bias`,
  );
}

/** W₁ [V·T·P·F, 3072], by side, then threshold, then filter. */
function firstLayer(config: ModelConfig, filters: Values, sides: readonly Side[]): DenseTensor {
  const { fields, thresholds } = layoutOf(config, IMAGE_BYTES);
  const count = fields * config.hidden;
  const units = sides.length * thresholds * count;
  if (4 * units * IMAGE_BYTES > MAX_BYTES) {
    throw new UserError(
      `the dense network would have ${units} hidden units, whose weights take more than ${MAX_BYTES / 2 ** 30} GiB; take fewer views`,
    );
  }
  const values = new Float32Array(units * IMAGE_BYTES);
  for (let f = 0; f < count; f++) {
    const placed = placedFilter(config, filters, f);
    for (const [v, { sources }] of sides.entries()) {
      const row = seenThrough(sources, placed);
      for (let t = 0; t < thresholds; t++) {
        const unit = (v * thresholds + t) * count + f;
        values.set(t % 2 === 0 ? row : row.map((w) => 0 - w), unit * IMAGE_BYTES);
      }
    }
  }
  return { shape: [units, IMAGE_BYTES], values };
}

/** Returns a filter of the first layer as an image [3072], zero outside its receptive field. @param index its row of `fc1.weight`. */
export function placedFilter(config: ModelConfig, filters: Values, index: number): Float64Array {
  const { size, corner } = fieldOf(config, index);
  const length = CHANNELS * size ** 2;
  return placeInImage(filters.subarray(index * length, (index + 1) * length), size, corner);
}

/** Returns the receptive field that a filter of the first layer sees. */
export function fieldOf(
  { hidden, receptiveField, receptiveStride }: ModelConfig,
  index: number,
): { readonly size: number; readonly field: number; readonly corner: Corner } {
  const { corners } = layOut({ size: receptiveField, stride: receptiveStride });
  const field = Math.floor(index / hidden);
  return { size: receptiveField, field, corner: corners[field] };
}

/** W S for a row W [3072] and the map S of the pixels of a view. */
function seenThrough(sources: ArrayLike<number>, row: ArrayLike<number>): Float64Array {
  const seen = new Float64Array(IMAGE_BYTES);
  for (let i = 0; i < IMAGE_BYTES; i++) {
    const pixel = i % PLANE_BYTES;
    seen[i - pixel + sources[pixel]] += row[i];
  }
  return seen;
}

/** The mean of W S over the views, row by row. */
function averageOverViews(weight: Values, views: readonly ArrayLike<number>[]): DenseTensor {
  const values = new Float64Array(weight.length);
  for (let at = 0; at < weight.length; at += IMAGE_BYTES) {
    for (const sources of views) {
      const seen = seenThrough(sources, weight.subarray(at, at + IMAGE_BYTES));
      for (let i = 0; i < IMAGE_BYTES; i++) values[at + i] += seen[i] / views.length;
    }
  }
  return { shape: [weight.length / IMAGE_BYTES, IMAGE_BYTES], values: Float32Array.from(values) };
}

/** [s₁ W₂ … s_V W₂], with the shares s of the sides. @param units the columns of W₂. */
function secondLayer(weight: Values, units: number, sides: readonly Side[]): DenseTensor {
  const classes = weight.length / units;
  const columns = sides.length * units;
  const values = Float32Array.from({ length: classes * columns }, (_, i) => {
    const { share } = sides[Math.floor((i % columns) / units)];
    return share * weight[Math.floor(i / columns) * units + (i % units)];
  });
  return { shape: [classes, columns], values };
}

function vector(values: ArrayLike<number>): DenseTensor {
  return { shape: [values.length], values: Float32Array.from(values) };
}
