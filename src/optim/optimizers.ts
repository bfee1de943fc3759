import { adamw } from './adamw.ts';
import { muon } from './muon.ts';
import type { OptimizerSettings } from './optimizer.ts';
import { sgd } from './sgd.ts';

/** Every optimiser, keyed by its name in a configuration. */
export const OPTIMIZERS = { sgd, adamw, muon };

export type OptimizerName = keyof typeof OPTIMIZERS;

export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as OptimizerName[];

/** λ of the L2 term λ/2 · ‖W‖² in the training loss; 0 if weight decay is decoupled from the loss. */
export function l2StrengthOf({
  optimizer,
  weightDecay,
}: Pick<OptimizerSettings, 'weightDecay'> & { readonly optimizer: OptimizerName }): number {
  return OPTIMIZERS[optimizer].weightDecay === 'l2' ? weightDecay : 0;
}
