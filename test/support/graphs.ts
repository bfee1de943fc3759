import type { Activation } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { Graph } from '../../src/engine/graph.ts';
import { Random } from '../../src/random.ts';

export const ACTIVATIONS: readonly Activation[] = ['relu', 'leaky-relu', 'sigmoid', 'tanh'];

/** A graph in float64, the precision in which gradients can be checked. */
export function float64Graph(capacity = 5): Graph<ReferenceBackend> {
  return new Graph(new ReferenceBackend('float64'), capacity);
}

/** Standard normal numbers, the same ones for the same name. */
export function normals(count: number, name: string): Float64Array {
  const random = new Random(1, 'test', name);
  return Float64Array.from({ length: count }, () => random.normal());
}
