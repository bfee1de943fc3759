import type { Activation } from '../backends/backend.ts';
import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { plainBatch } from '../training/batches.ts';
import { loadBatch } from '../training/evaluate.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import { type Finding, percent } from './finding.ts';

/** φ′ as a function of y = φ(x), over the greatest value it can have: how much of the upstream gradient a unit lets through. */
const OPENNESS: Readonly<Record<Activation, (y: number) => number>> = {
  relu: (y) => (y > 0 ? 1 : 0),
  'leaky-relu': () => 1,
  sigmoid: (y) => 4 * y * (1 - y),
  tanh: (y) => 1 - y * y,
};
/** Below this a unit is shut: a ReLU that is off, a sigmoid beyond 0.995 or 0.005, a tanh beyond ±0.99. */
const SHUT = 0.02;

/** How the hidden units pass gradients on. */
export interface UnitHealth {
  readonly units: number;
  /** Units that are shut for every image, and so learn nothing from any. */
  readonly dead: number;
  /** Share of all pairs of a unit and an image for which the unit is shut, in [0, 1]. */
  readonly shutShare: number;
}

/** Looks at the hidden units of a two-layer network on some images. @throws TypeError for a model without hidden units. */
export async function examineUnits(
  model: Model,
  activation: Activation,
  images: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<UnitHealth> {
  const { graph, hidden } = model;
  if (!hidden) throw new TypeError('a linear classifier has no hidden units');
  const H = hidden.shape[1];
  const shutFor = new Uint32Array(H);
  for (let at = 0; at < indices.length; at += graph.capacity) {
    loadBatch(model, images, plainBatch(indices.subarray(at, at + graph.capacity)));
    graph.forward();
    const values = await graph.backend.read(hidden.tensor);
    for (let i = 0; i < values.length; i++) if (!(OPENNESS[activation](values[i]) > SHUT)) shutFor[i % H]++;
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  return {
    units: H,
    dead: shutFor.filter((count) => count === indices.length).length,
    shutShare: shutFor.reduce((sum, count) => sum + count, 0) / (H * indices.length),
  };
}

/** Dead units: "as much as 40 % of your network can be dead", say the notes of a learning rate that is too high. */
const DEAD = { some: 0.1, many: 0.4 } as const;
/** Shut pairs of sigmoid and tanh units; a ReLU is off for half of them as a matter of course. */
const SATURATED = { some: 0.5, many: 0.8 } as const;

/** Judges the hidden units by what they do in the moments that are named ("at the start", "after training").
 *  Source: CS231n notes, "Neural Networks 1" (dying ReLU, saturation), "Neural Networks 3" (activation distributions). */
export function judgeUnits(
  activation: Activation,
  moments: readonly (readonly [when: string, health: UnitHealth])[],
): Finding {
  const saturates = activation === 'sigmoid' || activation === 'tanh';
  const shut = saturates ? 'saturated' : 'off';
  const worst = (of: (health: UnitHealth) => number) => Math.max(...moments.map(([, health]) => of(health)));
  const dead = worst(({ dead, units }) => dead / units);
  const saturated = saturates ? worst(({ shutShare }) => shutShare) : 0;
  const finding = {
    name: 'hidden units',
    evidence: moments
      .map(
        ([when, { units, dead, shutShare }]) =>
          `${when} ${dead} of ${units} dead, ${percent(shutShare)} of all answers ${shut}`,
      )
      .join('; '),
    numbers: {
      units: moments[0][1].units,
      dead: moments.map(([, health]) => health.dead),
      shut: moments.map(([, health]) => health.shutShare),
    },
  };
  if (dead < DEAD.some && saturated < SATURATED.some) return { ...finding, verdict: 'ok', advice: null };
  const advice = saturates
    ? 'units at the end of their range pass no gradient on: start with smaller weights (--init xavier), lower the learning rate, or take --activation relu'
    : 'dead units learn nothing from any image: lower the learning rate, start with --init he, or take --activation leaky-relu';
  const isBad = dead >= DEAD.many || saturated >= SATURATED.many;
  return { ...finding, verdict: isBad ? 'bad' : 'warning', advice };
}
