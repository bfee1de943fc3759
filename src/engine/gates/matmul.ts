import { ShapeError } from '../../backends/backend.ts';
import { type Gate, store } from '../gate.ts';

/** Y = A B, the matrix product; a vector is a column [K, 1].
 *
 *  A [M, K]; B [K, N]; Y [M, N].
 *  Backward, with dY = upstream [M, N]: dA = dY Bᵀ, dB = Aᵀ dY. The Jacobian, of M·N rows and M·K + K·N columns, is never
 *  built.
 *  @throws ShapeError unless A has as many columns as B has rows.
 *  Source: CS231n notes, "Backpropagation" (gradients for vectorised operations). */
export const matmul: Gate<'a' | 'b'> = {
  name: 'matmul',
  shape({ a, b }) {
    if (a.length !== 2 || b.length !== 2 || a[1] !== b[0]) {
      throw new ShapeError(`cannot multiply [${a.join(', ')}] by [${b.join(', ')}]`);
    }
    return [a[0], b[1]];
  },
  forward(backend, { a, b }, y) {
    backend.matmul(a, b, store(y));
  },
  backward(backend, { inputs: { a, b }, upstream: dy }) {
    return {
      a: (into) => backend.matmul(dy, b, into, { transposeB: true }),
      b: (into) => backend.matmul(a, dy, into, { transposeA: true }),
    };
  },
  formulas({ a, b }) {
    return { a: `upstream · ${b}ᵀ`, b: `${a}ᵀ · upstream` };
  },
};
