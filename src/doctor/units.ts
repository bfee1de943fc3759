import { integer } from '../format.ts';
import type { ImageSet } from '../images.ts';
import { field, message } from '../message.ts';
import type { HiddenActivation } from '../models/mlp.ts';
import type { Model } from '../models/model.ts';
import { plainBatch } from '../training/batches.ts';
import { loadBatch } from '../training/evaluate.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import { type Finding, percent } from './finding.ts';

/** φ′ as a function of y = φ(x), relative to its maximum: the share of the upstream gradient that a unit passes on. */
const RELATIVE_SLOPE: Readonly<Record<HiddenActivation, (y: number) => number>> = {
  relu: (y) => (y > 0 ? 1 : 0),
  'leaky-relu': () => 1,
  sigmoid: (y) => 4 * y * (1 - y),
  tanh: (y) => 1 - y * y,
  crelu: (y) => (y > 0 ? 1 : 0),
  'multi-bias': (y) => (y > 0 ? 1 : 0),
};
/** A unit with a smaller slope is blocked: a ReLU that is off, a sigmoid beyond 0.995 or 0.005, a tanh beyond ±0.99. */
const BLOCKED_SLOPE = 0.02;

/** Measures of how well the hidden units propagate gradients. */
export interface UnitHealth {
  readonly units: number;
  /** Units that are blocked for every image, and so cannot learn. */
  readonly dead: number;
  /** Share of blocked activations among all units and images, in [0, 1]. */
  readonly blockedShare: number;
}

/** Measures the hidden units of a two-layer network on some images. @throws TypeError for a model without hidden units. */
export async function measureUnits(
  model: Model,
  activation: HiddenActivation,
  images: ImageSet,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<UnitHealth> {
  const { graph, hidden } = model;
  if (!hidden) throw new TypeError('a linear classifier has no hidden units');
  const H = hidden.shape[1];
  const blockedCounts = new Uint32Array(H);
  for (let at = 0; at < indices.length; at += graph.capacity) {
    loadBatch(model, images, plainBatch(indices.subarray(at, at + graph.capacity)));
    graph.forward();
    const values = await graph.backend.read(hidden.tensor);
    for (let i = 0; i < values.length; i++)
      if (!(RELATIVE_SLOPE[activation](values[i]) > BLOCKED_SLOPE)) blockedCounts[i % H]++;
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  return {
    units: H,
    dead: blockedCounts.filter((count) => count === indices.length).length,
    blockedShare: blockedCounts.reduce((sum, count) => sum + count, 0) / (H * indices.length),
  };
}

/** Shares of dead units. The notes on a learning rate that is too high: "as much as 40 % of your network can be dead". */
const DEAD = { warning: 0.1, bad: 0.4 } as const;
/** Shares of saturated activations, for sigmoid and tanh. A ReLU is normally off for half of the images. */
const SATURATED = { warning: 0.5, bad: 0.8 } as const;

/** Judges the hidden units by measurements at named moments ("at the start", "after a short training").
 *  Source: CS231n notes, "Neural Networks 1" (dying ReLU, saturation), "Neural Networks 3" (activation distributions). */
export function judgeUnits(
  activation: HiddenActivation,
  moments: readonly (readonly [when: string, health: UnitHealth])[],
): Finding {
  const saturates = activation === 'sigmoid' || activation === 'tanh';
  const blocked = saturates ? 'saturated' : 'off';
  const worst = (of: (health: UnitHealth) => number) => Math.max(...moments.map(([, health]) => of(health)));
  const dead = worst(({ dead, units }) => dead / units);
  const saturated = saturates ? worst(({ blockedShare }) => blockedShare) : 0;
  const finding = {
    name: 'hidden units',
    evidence: moments
      .map(
        ([when, { units, dead, blockedShare }]) =>
          `${when} ${integer(dead)} of ${integer(units)} dead, ${percent(blockedShare)} of all activations ${blocked}`,
      )
      .join('; '),
    numbers: {
      units: moments[0][1].units,
      dead: moments.map(([, health]) => health.dead),
      shut: moments.map(([, health]) => health.blockedShare),
    },
  };
  if (dead < DEAD.warning && saturated < SATURATED.warning) return { ...finding, verdict: 'ok', advice: null };
  const advice = saturates
    ? message`saturated units pass on no gradient: start with smaller weights (${field('init', 'xavier')}), lower the learning rate, or use ${field('activation', 'relu')}`
    : message`dead units learn nothing from any image: lower the learning rate, start with ${field('init', 'he')}, or use ${field('activation', 'leaky-relu')}`;
  const isBad = dead >= DEAD.bad || saturated >= SATURATED.bad;
  return { ...finding, verdict: isBad ? 'bad' : 'warning', advice };
}
