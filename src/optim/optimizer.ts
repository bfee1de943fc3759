import type { UpdateRule } from '../backends/backend.ts';

/** A rule by which parameters follow their gradients. The arithmetic is a backend's (UpdateRule); this says which
 *  numbers go into it at each step. */
export interface Optimizer {
  readonly name: string;
  /** What is remembered of each parameter, a tensor of its shape for each name, zero at the start; PyTorch's names. */
  readonly state: readonly string[];
  /** @param step counted from 1. @param decays whether weight decay acts on this parameter (it spares biases). */
  rule(step: number, learningRate: number, decays: boolean): UpdateRule;
}

export interface OptimizerConfig {
  readonly optimizer: 'sgd' | 'adamw';
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}
