import { isWeight } from '../backends/backend.ts';
import { ReferenceBackend } from '../backends/reference/reference.ts';
import type { Config } from '../config/config.ts';
import { withL2Penalty } from '../gradcheck/model-gradients.ts';
import { field, message } from '../message.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel } from '../models/model.ts';
import { plainBatch } from '../training/batches.ts';
import { loadBatch, type Metrics } from '../training/evaluate.ts';
import { type Finding, number, percent } from './finding.ts';
import type { ShortTrainingSetup } from './short-training.ts';

// Checks of the loss before training.

/** Relative deviations from the loss at chance that are still ok, and still only a warning. */
const OK_DEVIATION = 0.15;
const WARNING_DEVIATION = 0.5;

/** Compares the initial loss with the loss at chance: ln C for softmax, C − 1 for the hinge with margin 1.
 *  @param initial without regularisation, label smoothing and dropout.
 *  Source: CS231n notes, "Neural Networks 3" (sanity checks: look for correct loss at chance performance). */
export function judgeInitialLoss({ loss }: Config, initial: Metrics, C: number): Finding {
  const expected = loss === 'softmax' ? Math.log(C) : C - 1;
  const deviation = Math.abs(initial.loss - expected) / expected;
  const finding = {
    name: 'initial loss',
    evidence: `${number(initial.loss)}; at chance ${loss === 'softmax' ? `ln ${C} = ` : ''}${number(expected)}`,
    numbers: { loss: initial.loss, expected },
  };
  if (deviation <= OK_DEVIATION) return { ...finding, verdict: 'ok', advice: null };
  const advice = message`it is ${percent(deviation)} off: the weights start too large, or the images are not scaled; try ${field('init', 'he')}, or a smaller ${field('initStd')}`;
  return { ...finding, verdict: deviation <= WARNING_DEVIATION ? 'warning' : 'bad', advice };
}

/** Images for the check of the L2 term. */
const IMAGES = 20;
/** λ if the configuration has none. */
const DEFAULT_DECAY = 1e-4;
/** Relative tolerance for rounding errors in float64. */
const TOLERANCE = 1e-9;

/** Checks that the L2 term adds exactly λ/2 ‖W‖² to the loss, for two values of λ.
 *  Source: CS231n notes, "Neural Networks 3" (sanity checks: increasing the regularization strength). */
export async function checkRegularisation({ config, images, heldOut }: ShortTrainingSetup): Promise<Finding> {
  const indices = heldOut.subarray(0, IMAGES);
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, config, indices.length);
  const decays = [config.weightDecay || DEFAULT_DECAY, 10 * (config.weightDecay || DEFAULT_DECAY)];
  const wires = [model.loss, ...decays.map((weightDecay) => withL2Penalty(model, weightDecay))];
  initialise(model, config);
  loadBatch(model, images, plainBatch(indices));
  model.graph.forward();
  const losses: number[] = [];
  for (const wire of wires) losses.push((await backend.read(wire.tensor))[0]);
  let squares = 0;
  for (const { tensor } of model.graph.parameters.filter(isWeight)) {
    for (const w of await backend.read(tensor)) squares += w * w;
  }
  const isCorrect = decays.every((decay, i) => {
    const expected = losses[0] + (decay / 2) * squares;
    return losses[i + 1] > losses[i] && Math.abs(losses[i + 1] - expected) <= TOLERANCE * expected;
  });
  const added = decays.map((decay, i) => `λ = ${number(decay)} adds ${number(losses[i + 1] - losses[0])}`);
  return {
    name: 'regularisation',
    verdict: isCorrect ? 'ok' : 'bad',
    evidence: `${added.join(' and ')} to a loss of ${number(losses[0])}: ${isCorrect ? 'λ/2·‖W‖²' : 'not λ/2·‖W‖²'}`,
    advice: isCorrect
      ? null
      : `λ/2·‖W‖² should be added, with ‖W‖² = ${number(squares)}; see src/engine/gates/losses/l2-penalty.ts`,
    numbers: { lambdas: [0, ...decays], losses, squaredNorm: squares },
  };
}
