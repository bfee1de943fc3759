import type { Gate } from '../gate.ts';

/** The regularisation term λ/2 · ‖W‖² = λ/2 · Σ w², a scalar, for W of any shape.
 *
 *  Backward: dW = upstream · λ W. The `sgd` rule adds the same λ W itself (weight decay), so that training needs no gate
 *  for it; the gate is for a loss that is to show the term.
 *  @param weightDecay λ ≥ 0.
 *  Source: CS231n notes, "Linear classification" (there written λ ‖W‖², without the half). */
export function l2Penalty(weightDecay: number): Gate<'weight'> {
  return {
    name: 'L2 penalty',
    shape: () => [],
    forward(backend, { weight }, penalty) {
      backend.sumSquares(weight, weightDecay / 2, penalty);
    },
    backward(backend, { inputs: { weight }, upstream }) {
      return { weight: (into) => backend.scale(weight, weightDecay, upstream, into) };
    },
  };
}
