import { expectShape } from '../../backends/backend.ts';
import { type Gate, store } from '../gate.ts';

/** Y = [X₁ W₁ᵀ … X_P W_Pᵀ]: a linear layer of its own for each of P receptive fields. It is X Wᵀ with zeros in W wherever a
 *  unit does not see a pixel, at 1/P of the cost if the fields are as small; unlike a convolution, no weights are shared.
 *
 *  X = [X₁ … X_P] [B, P·K]; W [P·F, K], F units for each field, field by field; Y [B, P·F].
 *  Backward, for each field p, with dY = upstream [B, P·F]: dXₚ = dYₚ Wₚ, dWₚ = dYₚᵀ Xₚ.
 *  @param fields P.
 *  @throws ShapeError if the shapes of X and W do not match, or W does not have a multiple of P rows.
 *  Source: CS231n notes, "Convolutional Neural Networks" (locally-connected layer). */
export function localLinear(fields: number): Gate<'x' | 'weight'> {
  return {
    name: 'local linear',
    shape({ x, weight }) {
      expectShape('weight', weight, [fields * Math.floor(weight[0] / fields), x[1] / fields]);
      return [x[0], weight[0]];
    },
    forward(backend, { x, weight }, y, { training }) {
      const groups = { count: fields, a: 'beside', b: 'stacked', into: 'beside' } as const;
      backend.matmul(x, weight, store(y), { transposeB: true, groups, exact: !training });
    },
    backward(backend, { inputs: { x, weight }, upstream: dy }) {
      const forX = { count: fields, a: 'beside', b: 'stacked', into: 'beside' } as const;
      const forWeight = { count: fields, a: 'beside', b: 'beside', into: 'stacked' } as const;
      return {
        x: (into) => backend.matmul(dy, weight, into, { groups: forX }),
        weight: (into) => backend.matmul(dy, x, into, { transposeA: true, groups: forWeight }),
      };
    },
    formulas({ x, weight }) {
      return { x: `upstream · ${weight}, field by field`, weight: `upstreamᵀ · ${x}, field by field` };
    },
  };
}

/** Y = [X₁ W₁ᵀ … X_P W_Pᵀ] + b: `localLinear` with a bias b [P·F], added to every row. Backward: db = sum of the rows of dY. */
export function localLinearWithBias(fields: number): Gate<'x' | 'weight' | 'bias'> {
  const product = localLinear(fields);
  return {
    name: product.name,
    shape({ bias, ...inputs }) {
      expectShape('bias', bias, [inputs.weight[0]]);
      return product.shape(inputs);
    },
    forward(backend, { x, weight, bias }, y, { training }) {
      const groups = { count: fields, a: 'beside', b: 'stacked', into: 'beside' } as const;
      backend.matmul(x, weight, store(y), { transposeB: true, bias, groups, exact: !training });
    },
    backward(backend, context) {
      return {
        ...product.backward(backend, context),
        bias: (into) => backend.sumRows(context.upstream, into),
      };
    },
    formulas: (names) => ({ ...product.formulas!(names), bias: 'Σ rows of upstream' }),
  };
}
