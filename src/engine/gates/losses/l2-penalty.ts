import type { Gate } from '../../gate.ts';
import { squaredNorm } from '../squared-norm.ts';

/** The regularisation term λ/2 · ‖W‖² = λ/2 · Σ w², a scalar, for W of any shape.
 *
 *  Backward: dW = upstream · λ W. The `sgd` rule adds the same λ W itself (weight decay), so training does not need this
 *  gate; it is for a graph whose loss includes the term.
 *  @param weightDecay λ ≥ 0.
 *  Source: CS231n notes, "Linear classification" (there written λ ‖W‖², without the half). */
export function l2Penalty(weightDecay: number): Gate<'weight'> {
  return squaredNorm('L2 penalty', 'weight', weightDecay / 2);
}
