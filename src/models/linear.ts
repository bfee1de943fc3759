import { linear } from '../engine/gates/linear.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';

/** The linear classifier: logits = X Wᵀ + b.
 *
 *  images X [B, 3072]; `linear.weight` W [10, 3072], each row a class template; `linear.bias` b [10];
 *  logits [B, 10]. 30,730 parameters. */
export function linearClassifier(graph: Graph, images: Wire, classes: number): Wire {
  const [, D] = images.shape;
  const weight = graph.parameter('linear.weight', [classes, D], 1);
  const bias = graph.parameter('linear.bias', [classes]);
  return graph.apply(linear, { x: images, weight, bias }, 'logits');
}
