import type { Backend, NewtonSchulz, Shape, Tensor } from './backend.ts';
import type { Values } from './reference/tensor.ts';

/** Below this, a matrix counts as zero. */
const NEGLIGIBLE = 1e-30;

export type NewtonSchulzName = 'gram' | 'root' | 'spare' | 'polynomial' | 'factor' | 'one';

/** What the iteration needs of the memory of a backend: temporary tensors, by name, and the values of tensors. */
export interface NewtonSchulzMemory {
  allocate(name: NewtonSchulzName, shape: Shape): Tensor;
  read(tensor: Tensor): Values;
  /** The values of a tensor, to be changed. */
  change(tensor: Tensor): Values;
}

/** Backend.newtonSchulz, by products that compute a step for all matrices at once. */
export function newtonSchulzByProducts(
  backend: Pick<Backend, 'matmul' | 'scale' | 'write'>,
  { x, count, iteration, into }: { x: Tensor; count: number; iteration: NewtonSchulz; into: Tensor },
  { allocate, read, change }: NewtonSchulzMemory,
): void {
  const { coefficients, steps } = iteration;
  const [a, b, c] = coefficients;
  const gram = allocate('gram', x.shape);
  let [root, spare] = [allocate('root', x.shape), allocate('spare', x.shape)];
  const [polynomial, factor, one] = [allocate('polynomial', x.shape), allocate('factor', x.shape), allocate('one', [])];
  backend.write(one, [1]);
  const groups = { count, a: 'stacked', b: 'stacked', into: 'stacked' } as const;
  // Both are polynomials in the same symmetric matrix, so their product is symmetric, too.
  const multiply = (left: Tensor, right: Tensor, target: Tensor) =>
    backend.matmul(left, right, { kind: 'store', tensor: target }, { groups, symmetric: true });

  normalise(read(x), count, change(gram), change(root));
  for (let step = 1; step <= steps; step++) {
    backend.scale(gram, c, one, { kind: 'store', tensor: factor });
    addToDiagonals(change(factor), x.shape[1], b);
    multiply(gram, factor, polynomial);
    addToDiagonals(change(polynomial), x.shape[1], a);
    multiply(polynomial, root, step < steps ? spare : into);
    if (step === steps) return;
    [root, spare] = [spare, root];
    multiply(polynomial, gram, factor);
    multiply(factor, polynomial, gram);
  }
}

function addToDiagonals(matrices: Values, M: number, value: number): void {
  // Rounded as the elements are.
  const [term] = matrices.slice(0, 1).fill(value);
  for (let row = 0; row * M < matrices.length; row++) matrices[row * M + (row % M)] += term;
}

/** Sets the matrices G and Z that the iteration begins with. */
export function normalise(x: Values, count: number, gram: Values, root: Values): void {
  const size = x.length / count;
  const M = Math.sqrt(size);
  for (let p = 0; p < count; p++) {
    const at = p * size;
    const bound = eigenvalueBound(x.subarray(at, at + size), M);
    const inverse = bound < NEGLIGIBLE ? 0 : 1 / bound;
    root.fill(0, at, at + size);
    for (let i = 0; i < M; i++) root[at + i * M + i] = Math.sqrt(inverse);
    for (let i = at; i < at + size; i++) gram[i] = x[i] * inverse;
  }
}

/** min(largest row sum of |a|, Frobenius norm) */
function eigenvalueBound(a: Values, M: number): number {
  let [largest, squares] = [0, 0];
  for (let row = 0; row < a.length; row += M) {
    let sum = 0;
    for (let i = row; i < row + M; i++) {
      sum += Math.abs(a[i]);
      squares += a[i] * a[i];
    }
    largest = Math.max(largest, sum);
  }
  return Math.min(largest, Math.sqrt(squares));
}
