import type { Activation } from '../backends/backend.ts';
import { activation } from '../engine/gates/activation.ts';
import { dropout } from '../engine/gates/dropout.ts';
import { linear } from '../engine/gates/linear.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';

export interface HiddenLayer {
  /** H, the number of hidden units. */
  readonly hidden: number;
  readonly activation: Activation;
  /** The probability of dropping a hidden unit in training; 0 for no dropout. */
  readonly dropout: number;
}

/** The two-layer network: logits = dropout(φ(X W₁ᵀ + b₁)) W₂ᵀ + b₂.
 *
 *  images X [B, 3072]; `fc1.weight` W₁ [H, 3072]; `fc1.bias` b₁ [H]; `fc2.weight` W₂ [10, H]; `fc2.bias` b₂ [10];
 *  logits [B, 10]. 3083 H + 10 parameters. */
export function twoLayerNetwork(
  graph: Graph,
  images: Wire,
  classes: number,
  layer: HiddenLayer,
): { hidden: Wire; logits: Wire } {
  const [, D] = images.shape;
  const H = layer.hidden;
  const weight1 = graph.parameter('fc1.weight', [H, D]);
  const bias1 = graph.parameter('fc1.bias', [H]);
  const weight2 = graph.parameter('fc2.weight', [classes, H]);
  const bias2 = graph.parameter('fc2.bias', [classes]);

  const scores = graph.apply(linear, { x: images, weight: weight1, bias: bias1 }, 'fc1');
  const hidden = graph.apply(activation(layer.activation), { x: scores }, 'hidden');
  const kept = layer.dropout > 0 ? graph.apply(dropout(layer.dropout), { x: hidden }) : hidden;
  return { hidden, logits: graph.apply(linear, { x: kept, weight: weight2, bias: bias2 }, 'logits') };
}
