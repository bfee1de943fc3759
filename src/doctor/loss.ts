import { isWeight } from '../backends/backend.ts';
import { ReferenceBackend } from '../backends/reference/reference.ts';
import type { Config } from '../config/config.ts';
import { withL2Penalty } from '../gradcheck/model-gradients.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel } from '../models/model.ts';
import { plainBatch } from '../training/batches.ts';
import { loadBatch, type Metrics } from '../training/evaluate.ts';
import { type Finding, number, percent } from './finding.ts';
import type { Laboratory } from './short-training.ts';

// What the loss is before anything is learned.

/** How far the initial loss may be from that of a guess, in parts of it. */
const USUAL = 0.15;
const STRANGE = 0.5;

/** The initial loss is that of a guess: ln C for softmax, C − 1 for the hinge with margin 1.
 *  @param initial without regularisation, label smoothing and dropout.
 *  Source: CS231n notes, "Neural Networks 3" (sanity checks: look for correct loss at chance performance). */
export function judgeInitialLoss({ loss }: Config, initial: Metrics, C: number): Finding {
  const expected = loss === 'softmax' ? Math.log(C) : C - 1;
  const deviation = Math.abs(initial.loss - expected) / expected;
  const finding = {
    name: 'initial loss',
    evidence: `${number(initial.loss)}; a guess has ${loss === 'softmax' ? `ln ${C} = ` : ''}${number(expected)}`,
    numbers: { loss: initial.loss, expected },
  };
  if (deviation <= USUAL) return { ...finding, verdict: 'ok', advice: null };
  const advice = `it is ${percent(deviation)} off: the weights start too large, or the images are not scaled; try --init he, or a smaller --init-std`;
  return { ...finding, verdict: deviation <= STRANGE ? 'warning' : 'bad', advice };
}

/** Images of the check of the L2 term. */
const IMAGES = 20;
/** λ where the configuration has none. */
const SOME_DECAY = 1e-4;
const ROUNDING = 1e-9;

/** A larger λ makes a larger loss, by λ/2 ‖W‖² exactly.
 *  Source: CS231n notes, "Neural Networks 3" (sanity checks: increasing the regularization strength). */
export async function checkRegularisation({ config, images, heldOut }: Laboratory): Promise<Finding> {
  const indices = heldOut.subarray(0, IMAGES);
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, config, indices.length);
  const decays = [config.weightDecay || SOME_DECAY, 10 * (config.weightDecay || SOME_DECAY)];
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
  const isRight = decays.every((decay, i) => {
    const wanted = losses[0] + (decay / 2) * squares;
    return losses[i + 1] > losses[i] && Math.abs(losses[i + 1] - wanted) <= ROUNDING * wanted;
  });
  const added = decays.map((decay, i) => `λ = ${number(decay)} adds ${number(losses[i + 1] - losses[0])}`);
  return {
    name: 'regularisation',
    verdict: isRight ? 'ok' : 'bad',
    evidence: `to a loss of ${number(losses[0])}, ${added.join(' and ')}: ${isRight ? 'λ/2·‖W‖²' : 'not λ/2·‖W‖²'}`,
    advice: isRight
      ? null
      : `λ/2·‖W‖² should be added, with ‖W‖² = ${number(squares)}; look at src/engine/gates/l2-penalty.ts`,
    numbers: { lambdas: [0, ...decays], losses, squaredNorm: squares },
  };
}
