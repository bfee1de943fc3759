import { adamw } from './adamw.ts';
import type { Optimizer, OptimizerConfig } from './optimizer.ts';
import { sgd } from './sgd.ts';

export function createOptimizer(config: OptimizerConfig): Optimizer {
  return config.optimizer === 'sgd' ? sgd(config) : adamw(config);
}
