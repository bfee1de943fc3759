import { type ElementwiseBackend, expectShape, type Shape, ShapeError } from '../../backends/backend.ts';
import { type Gate, store } from '../gate.ts';

/** Σ xᵢ, a scalar, for x of any shape. Backward: every element of x gets the upstream gradient. */
export const sum: Gate<'x', ElementwiseBackend> = {
  name: 'sum',
  shape: () => [],
  forward(backend, { x }, y) {
    backend.sum(x, store(y));
  },
  backward(backend, { upstream }) {
    return { x: (into) => backend.elementwise((up) => up, [upstream], into) };
  },
};

/** A tensor filled with the scalar x. Backward: dx = Σ upstream, because x fans out to every element.
 *  @throws ShapeError if x is not a scalar. */
export function copy(shape: Shape): Gate<'x', ElementwiseBackend> {
  return {
    name: 'copy',
    shape({ x }) {
      expectShape('x', x, []);
      return shape;
    },
    forward(backend, { x }, y) {
      backend.elementwise((value) => value, [x], store(y));
    },
    backward(backend, { upstream }) {
      return { x: (into) => backend.sum(upstream, into) };
    },
    formulas: () => ({ x: 'Σ upstream' }),
  };
}

/** Xᵀ: [M, N] → [N, M]. Backward: dX = upstreamᵀ.
 *  @throws ShapeError if X is not a matrix. */
export const transpose: Gate<'x', ElementwiseBackend> = {
  name: 'transpose',
  shape({ x }) {
    if (x.length !== 2) throw new ShapeError(`cannot transpose a tensor of shape [${x.join(', ')}]`);
    return [x[1], x[0]];
  },
  forward(backend, { x }, y) {
    backend.transpose(x, store(y));
  },
  backward(backend, { upstream }) {
    return { x: (into) => backend.transpose(upstream, into) };
  },
  formulas: () => ({ x: 'upstreamᵀ' }),
};
