import { elementwiseOptimizer, type OptimizerDefinition } from './optimizer.ts';

/** Stochastic gradient descent with momentum μ and L2 weight decay λ, for a parameter w with the gradient g:
 *
 *      g ← g + λ w
 *      v ← μ v + g                 (left out if μ = 0)
 *      w ← w − η v                 or, with Nesterov momentum, w ← w − η (g + μ v)
 *
 *  Weight decay is the gradient of λ/2 · ‖w‖².
 *  Source: the update of torch.optim.SGD; CS231n notes, "Neural Networks 3". */
export const sgd = {
  learningRate: { softmax: { linear: 0.003, mlp: 0.05 }, hinge: { linear: 0.0005, mlp: 0.01 } },
  weightDecay: 'l2',
  hyperparameters: ['momentum', 'nesterov'],
  create({ momentum, nesterov, weightDecay }) {
    return elementwiseOptimizer(momentum > 0 ? ['momentum_buffer'] : [], (_step, learningRate, decays) => ({
      kind: 'sgd',
      learningRate,
      momentum,
      nesterov,
      weightDecay: decays ? weightDecay : 0,
    }));
  },
} as const satisfies OptimizerDefinition;
