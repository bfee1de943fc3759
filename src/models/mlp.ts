import type { Activation } from '../backends/backend.ts';
import { activation } from '../engine/gates/activation.ts';
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
  /** The probability of dropping a hidden unit in training; 0 for no dropout. */
  readonly dropout: number;
}

/** The two-layer network: logits = dropout(φ(X W₁ᵀ + b₁)) W₂ᵀ + b₂, with H hidden units.
 *
 *  images X [B, 3072]; `fc1.weight` W₁ [P·F, K]; `fc1.bias` b₁ [H]; `fc2.weight` W₂ [10, H]; `fc2.bias` b₂ [10];
 *  logits [B, 10].
 *
 *  Dense: one field, the image, so P = 1, K = 3072 and H = F. With smaller receptive fields, P is their number, K = 3 S², and
 *  rows p·F … p·F + F − 1 of W₁ see field p. With T > 1 units for each filter, H = T·P·F, ordered by threshold, then filter. */
export function twoLayerNetwork(
  graph: Graph,
  images: Wire,
  classes: number,
  layer: HiddenLayer,
): { hidden: Wire; logits: Wire; biasStarts: ReadonlyMap<Wire, readonly number[]> } {
  const { hidden, biasStarts } = hiddenLayer(graph, images, layer);
  const kept = layer.dropout > 0 ? graph.apply(dropout(layer.dropout), { x: hidden }) : hidden;
  const weight = graph.parameter('fc2.weight', [classes, hidden.shape[1]]);
  const bias = graph.parameter('fc2.bias', [classes]);
  return { hidden, biasStarts, logits: graph.apply(linear, { x: kept, weight, bias }, 'logits') };
}

function hiddenLayer(graph: Graph, images: Wire, layer: HiddenLayer) {
  const { isDense, fields, thresholds } = layoutOf(layer);
  const x = isDense
    ? images
    : graph.apply(receptiveFields({ size: layer.receptiveField, stride: layer.receptiveStride }), { images }, 'fields');
  const weight = graph.parameter('fc1.weight', [fields * layer.hidden, x.shape[1] / fields], fields);
  const bias = graph.parameter('fc1.bias', [thresholds * fields * layer.hidden]);
  if (hasThresholds(layer.activation)) {
    const filters = graph.apply(localLinear(fields), { x, weight }, 'fc1');
    const starts = UNIT_BIASES.slice(0, thresholds).flatMap((start) => Array(weight.shape[0]).fill(start) as number[]);
    return {
      hidden: graph.apply(multiBias(thresholds), { x: filters, bias }, 'hidden'),
      biasStarts: new Map([[bias, starts]]),
    };
  }
  const scores = graph.apply(isDense ? linear : localLinearWithBias(fields), { x, weight, bias }, 'fc1');
  return { hidden: graph.apply(activation(layer.activation), { x: scores }, 'hidden'), biasStarts: new Map() };
}

/** P, the number of receptive fields, and T, the number of hidden units for each filter. */
function layoutOf({
  receptiveField,
  receptiveStride,
  activation,
}: Pick<HiddenLayer, 'receptiveField' | 'receptiveStride' | 'activation'>): {
  isDense: boolean;
  fields: number;
  thresholds: number;
} {
  const isDense = receptiveField === IMAGE_SIDE;
  const fields = isDense ? 1 : layOut({ size: receptiveField, stride: receptiveStride }).corners.length;
  return { isDense, fields, thresholds: hasThresholds(activation) ? THRESHOLDS[activation] : 1 };
}

function hasThresholds(activation: HiddenActivation): activation is keyof typeof THRESHOLDS {
  return activation in THRESHOLDS;
}
