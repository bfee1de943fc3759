import { elementwiseOptimizer, type OptimizerDefinition } from './optimizer.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** AdamW: Adam with *decoupled* weight decay λ, for a parameter w with the gradient g at step t = 1, 2, …:
 *
 *      m ← β₁ m + (1 − β₁) g
 *      v ← β₂ v + (1 − β₂) g²
 *      w ← w − η (m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) + λ w)
 *
 *  β₁ = 0.9, β₂ = 0.999, ε = 1e-8. The decay is not part of the gradient, so λ does not mean the same as in SGD.
 *  Source: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization" (2019); torch.optim.AdamW. */
export const adamw = {
  learningRate: { softmax: { linear: 0.0003, mlp: 0.001 }, hinge: { linear: 0.0003, mlp: 0.001 } },
  weightDecay: 'decoupled',
  hyperparameters: [],
  create({ weightDecay }) {
    return elementwiseOptimizer(['exp_avg', 'exp_avg_sq'], (step, learningRate, decays) => ({
      kind: 'adamw',
      learningRate,
      beta1: BETA1,
      beta2: BETA2,
      epsilon: EPSILON,
      weightDecay: decays ? weightDecay : 0,
      correction1: 1 - power(BETA1, step),
      correction2: 1 - power(BETA2, step),
    }));
  },
} as const satisfies OptimizerDefinition;

/** xⁿ by repeated squaring: Math.pow may round differently on another engine. */
function power(x: number, n: number): number {
  let result = 1;
  for (let square = x, rest = n; rest > 0; square *= square, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}
