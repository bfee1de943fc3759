import { expectShape } from '../../backends/backend.ts';
import type { Gate } from '../gate.ts';

/** Y = [Y₁ … Y_T] with Y_t = max(0, ±X + b_t): T hidden units for each filter, each with a bias of its own. The sign is + for
 *  the first, − for the second, and so on. With T = 2 it is a concatenated ReLU.
 *
 *  X [B, M]; b = [b₁ … b_T] [T·M], added to every row; Y [B, T·M].
 *  Backward, with U = upstream ⊙ [Y > 0]: dX = U₁ − U₂ + …, db = sum of the rows of U.
 *  @param thresholds T.
 *  @throws ShapeError unless there are T biases for each column of X.
 *  Source: W. Shang et al., "Understanding and Improving Convolutional Neural Networks via Concatenated Rectified Linear
 *  Units" (2016); H. Li et al., "Multi-Bias Non-linear Activation in Deep Neural Networks" (2016). */
export function multiBias(thresholds: number): Gate<'x' | 'bias'> {
  return {
    name: thresholds === 2 ? 'crelu' : 'multi-bias',
    shape({ x: [B, M], bias }) {
      expectShape('bias', bias, [thresholds * M]);
      return [B, thresholds * M];
    },
    forward(backend, { x, bias }, y) {
      backend.multiBias(x, bias, y);
    },
    backward(backend, { output: y, upstream }) {
      return {
        x: (into) => backend.multiBiasDerivative(y, upstream, into),
        bias: (into) => backend.sumRowsWherePositive(y, upstream, into),
      };
    },
    passOn: ({ x, bias }, y, into) => ({ kind: 'multi-bias', tensor: y, x, bias, into }),
    async kinkSides(backend, _, y) {
      return Array.from(await backend.read(y), (value) => value > 0);
    },
    formulas: () => ({ x: 'Σ ± upstream where Y > 0', bias: 'Σ rows of upstream where Y > 0' }),
  };
}
