import type { Activation } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { Graph } from '../../src/engine/graph.ts';
import { Random } from '../../src/random.ts';

export const ACTIVATIONS: readonly Activation[] = ['relu', 'leaky-relu', 'sigmoid', 'tanh'];

/** Creates a graph in float64, the precision required for gradient checks. */
export function float64Graph(capacity = 5): Graph<ReferenceBackend> {
  return new Graph(new ReferenceBackend('float64'), capacity);
}

/** Standard normal numbers that depend only on the name. */
export function normals(count: number, name: string): Float64Array {
  const random = new Random(1, 'test', name);
  return Float64Array.from({ length: count }, () => random.normal());
}
