import type { Optimizer, OptimizerConfig } from './optimizer.ts';

/** Stochastic gradient descent with momentum μ and L2 weight decay λ, for a parameter w with the gradient g:
 *
 *      g ← g + λ w
 *      v ← μ v + g                 (left out if μ = 0)
 *      w ← w − η v                 or, with Nesterov momentum, w ← w − η (g + μ v)
 *
 *  Weight decay is the gradient of λ/2 · ‖w‖².
 *  Source: the update of torch.optim.SGD; CS231n notes, "Neural Networks 3". */
export function sgd({ momentum, nesterov, weightDecay }: Omit<OptimizerConfig, 'optimizer'>): Optimizer {
  return {
    name: 'sgd',
    state: momentum > 0 ? ['momentum_buffer'] : [],
    rule: (_step, learningRate, decays) => ({
      kind: 'sgd',
      learningRate,
      momentum,
      nesterov,
      weightDecay: decays ? weightDecay : 0,
    }),
  };
}
