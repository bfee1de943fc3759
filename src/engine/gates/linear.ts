import { expectShape } from '../../backends/backend.ts';
import { type Gate, store } from '../gate.ts';

/** Y = X Wᵀ + b, the linear score function for a mini-batch: row c of W is the template of output c.
 *
 *  X [B, in]; W [out, in]; b [out], added to every row; Y [B, out].
 *  Backward, with dY = upstream [B, out]: dX = dY W, dW = dYᵀ X, db = sum of the rows of dY.
 *  @throws ShapeError if the shapes of X, W and b do not match.
 *  Source: CS231n, lecture 4 and the notes "Backpropagation" (gradients for vectorised operations). */
export const linear: Gate<'x' | 'weight' | 'bias'> = {
  name: 'linear',
  shape({ x, weight, bias }) {
    expectShape('weight', weight, [weight[0], x[1]]);
    expectShape('bias', bias, [weight[0]]);
    return [x[0], weight[0]];
  },
  forward(backend, { x, weight, bias }, y, { training }) {
    backend.matmul(x, weight, store(y), { transposeB: true, bias, exact: !training });
  },
  backward(backend, { inputs: { x, weight }, upstream: dy }) {
    return {
      x: (into) => backend.matmul(dy, weight, into),
      weight: (into) => backend.matmul(dy, x, into, { transposeA: true }),
      bias: (into) => backend.sumRows(dy, into),
    };
  },
  formulas({ x, weight }) {
    return { x: `upstream · ${weight}`, weight: `upstreamᵀ · ${x}`, bias: 'Σ rows of upstream' };
  },
};
