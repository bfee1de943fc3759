import type { Activation, DType, Shape, Tensor } from '../../src/backends/backend.ts';
import { sizeOf } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { Graph } from '../../src/engine/graph.ts';
import { Random } from '../../src/random.ts';

export const ACTIVATIONS: readonly Activation[] = ['relu', 'leaky-relu', 'sigmoid', 'tanh'];

/** A graph in float64, the precision in which gradients can be checked. */
export function float64Graph(capacity = 5): Graph {
  return new Graph(new ReferenceBackend('float64'), capacity);
}

/** Standard normal numbers, the same ones for the same name. */
export function normals(count: number, name: string): Float64Array {
  const random = new Random(1, 'test', name);
  return Float64Array.from({ length: count }, () => random.normal());
}

/** A tensor with the given values, row by row. */
export function tensorOf(
  backend: { allocate(shape: Shape, dtype?: DType): Tensor; write(tensor: Tensor, values: ArrayLike<number>): void },
  shape: Shape,
  values: ArrayLike<number> | string,
  dtype?: DType,
): Tensor {
  const tensor = backend.allocate(shape, dtype);
  backend.write(tensor, typeof values === 'string' ? normals(sizeOf(shape), values) : values);
  return tensor;
}
