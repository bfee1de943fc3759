import type { Activation } from '../backends/backend.ts';
import { activation } from '../engine/gates/activation.ts';
import { add } from '../engine/gates/add.ts';
import { dropout } from '../engine/gates/dropout.ts';
import { linear } from '../engine/gates/linear.ts';
import { localLinear, localLinearWithBias } from '../engine/gates/local-linear.ts';
import { multiBias } from '../engine/gates/multi-bias.ts';
import { receptiveFields } from '../engine/gates/receptive-fields.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { IMAGE_SIDE, layOut } from '../images.ts';

/** The number of hidden units for each filter, T, of the activations that have more than one. */
const THRESHOLDS = { crelu: 2, 'multi-bias': 4 } as const;

/** The initial biases of the units of a filter: the last two are active only where its response is large. */
const UNIT_BIASES = [0, 0, -1, -1];

/** What follows the first layer: an elementwise φ, or several units for each filter. */
export type HiddenActivation = Activation | keyof typeof THRESHOLDS;

export interface HiddenLayer {
  /** F, the number of filters for each receptive field. */
  readonly hidden: number;
  /** S, the side of a receptive field in pixels: 32 for a layer whose units see the whole image. */
  readonly receptiveField: number;
  /** Pixels from one receptive field to the next. */
  readonly receptiveStride: number;
  readonly activation: HiddenActivation;
  /** Whether the logits are those of the image plus those of its mirror image. */
  readonly mirror: boolean;
  /** The probability of dropping a hidden unit in training; 0 for no dropout. */
  readonly dropout: number;
}

/** The two-layer network: logits = dropout(φ(X W₁ᵀ + b₁)) W₂ᵀ + b₂, with H hidden units.
 *
 *  images X [B, 3072]; `fc1.weight` W₁ [P·F, K]; `fc1.bias` b₁ [H]; `fc2.weight` W₂ [10, H]; `fc2.bias` b₂ [10];
 *  logits [B, 10].
 *
 *  Dense: one field, the image, so P = 1, K = 3072 and H = F. With smaller receptive fields, P is their number, K = 3 S², and
 *  rows p·F … p·F + F − 1 of W₁ see field p. With T > 1 units for each filter, H = T·P·F, ordered by threshold, then filter.
 *
 *  With `mirror`, the same weights also see the mirror image, and the logits are the sum of both: still two layers, of 2 H
 *  units in pairs that mirror each other. The answer for an image and for its mirror image is the same. */
export function twoLayerNetwork(
  graph: Graph,
  images: Wire,
  classes: number,
  layer: HiddenLayer,
): { hidden: Wire; logits: Wire; biasStarts: ReadonlyMap<Wire, readonly number[]> } {
  const { fields, values, thresholds } = layoutOf(layer, images.shape[1]);
  const filters = fields * layer.hidden;
  const parameters = {
    weight1: graph.parameter('fc1.weight', [filters, values], fields),
    bias1: graph.parameter('fc1.bias', [thresholds * filters]),
    weight2: graph.parameter('fc2.weight', [classes, thresholds * filters]),
    bias2: graph.parameter('fc2.bias', [classes]),
  };
  const { hidden, logits } = scoresOf(graph, images, { layer, parameters, mirrored: false });
  const starts = thresholds > 1 ? UNIT_BIASES.slice(0, thresholds).flatMap((start) => Array(filters).fill(start)) : [];
  const result = { hidden, biasStarts: new Map([[parameters.bias1, starts as number[]]]) };
  if (!layer.mirror) return { ...result, logits };
  const mirrored = scoresOf(graph, images, { layer, parameters, mirrored: true });
  return { ...result, logits: graph.apply(add, { a: logits, b: mirrored.logits }, 'logits of both') };
}

type Parameters = Readonly<Record<'weight1' | 'bias1' | 'weight2' | 'bias2', Wire>>;

/** The network as it sees the images, or as it sees their mirror images. */
interface Side {
  readonly layer: HiddenLayer;
  readonly parameters: Parameters;
  readonly mirrored: boolean;
}

/** Applies both layers to one side of the images. */
function scoresOf(graph: Graph, images: Wire, side: Side): { hidden: Wire; logits: Wire } {
  const { layer, parameters, mirrored } = side;
  const fields = { size: layer.receptiveField, stride: layer.receptiveStride, mirrored };
  const isWhole = layer.receptiveField === IMAGE_SIDE && !mirrored;
  const x = isWhole ? images : graph.apply(receptiveFields(fields), { images }, nameOn(side, 'fields'));
  const hidden = hiddenUnits(graph, x, side);
  const kept = layer.dropout > 0 ? graph.apply(dropout(layer.dropout), { x: hidden }, nameOn(side, 'dropout')) : hidden;
  const inputs = { x: kept, weight: parameters.weight2, bias: parameters.bias2 };
  return { hidden, logits: graph.apply(linear, inputs, nameOn(side, 'logits')) };
}

function hiddenUnits(graph: Graph, x: Wire, side: Side): Wire {
  const { layer, parameters } = side;
  const { weight1: weight, bias1: bias } = parameters;
  const { fields, thresholds } = layoutOf(layer, x.shape[1]);
  if (hasThresholds(layer.activation)) {
    const filters = graph.apply(localLinear(fields), { x, weight }, nameOn(side, 'fc1'));
    return graph.apply(multiBias(thresholds), { x: filters, bias }, nameOn(side, 'hidden'));
  }
  const product = fields === 1 ? linear : localLinearWithBias(fields);
  const scores = graph.apply(product, { x, weight, bias }, nameOn(side, 'fc1'));
  return graph.apply(activation(layer.activation), { x: scores }, nameOn(side, 'hidden'));
}

function nameOn({ mirrored }: Side, wire: string): string {
  return mirrored ? `mirrored ${wire}` : wire;
}

/** P, the number of receptive fields; K, the values of each; T, the number of hidden units for each filter.
 *  @param inputs D. */
export function layoutOf(
  {
    receptiveField,
    receptiveStride,
    activation,
  }: Pick<HiddenLayer, 'receptiveField' | 'receptiveStride' | 'activation'>,
  inputs: number,
): { fields: number; values: number; thresholds: number } {
  const thresholds = hasThresholds(activation) ? THRESHOLDS[activation] : 1;
  if (receptiveField === IMAGE_SIDE) return { fields: 1, values: inputs, thresholds };
  const { corners, values } = layOut({ size: receptiveField, stride: receptiveStride });
  return { fields: corners.length, values, thresholds };
}

function hasThresholds(activation: HiddenActivation): activation is keyof typeof THRESHOLDS {
  return activation in THRESHOLDS;
}
