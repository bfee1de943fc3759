import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import type { Gate } from '../../src/engine/gate.ts';
import { l2Penalty } from '../../src/engine/gates/l2-penalty.ts';
import { Graph } from '../../src/engine/graph.ts';
import { checkGradients, type GradientCheck } from '../../src/gradcheck/every-coordinate.ts';
import { float64Graph, normals } from '../support/graphs.ts';

const WEIGHTS = normals(12, 'weight');

/** Checks ½ ‖w‖² against a backward that claims the given gradient instead of w. */
async function check(claimed: ArrayLike<number>): Promise<GradientCheck> {
  const gate: Gate<'weight'> = {
    ...l2Penalty(1),
    backward(backend) {
      return {
        weight(into) {
          const gradient = backend.allocate([3, 4]);
          backend.write(gradient, claimed);
          backend.deliver(gradient, into);
        },
      };
    },
  };
  const graph = float64Graph();
  const weight = graph.parameter('weight', [3, 4]);
  graph.backend.write(weight.tensor, WEIGHTS);
  const [result] = await checkGradients(graph, graph.apply(gate, { weight }));
  expect(await graph.backend.read(weight.tensor), 'the parameters afterwards').toEqual(WEIGHTS);
  return result;
}

describe('checkGradients', () => {
  it('passes a right gradient', async () => {
    expect((await check(WEIGHTS)).relativeError).toBeLessThan(1e-9);
  });

  it('fails a gradient that is 0.1 % off', async () => {
    expect((await check(WEIGHTS.map((w) => 1.001 * w))).relativeError).toBeGreaterThan(1e-4);
  });

  it('fails, and names the coordinate, where only one is 0.1 % off', async () => {
    const largest = WEIGHTS.findIndex((w) => Math.abs(w) === Math.max(...WEIGHTS.map(Math.abs)));
    const { relativeError, worst } = await check(WEIGHTS.map((w, i) => (i === largest ? 1.001 * w : w)));
    expect(relativeError).toBeGreaterThan(1e-4);
    expect(worst.index).toBe(largest);
    expect(worst.analytic / worst.numeric).toBeCloseTo(1.001, 8);
  });

  it('fails a gradient with a wrong sign, one that is missing, and one that is NaN', async () => {
    expect((await check(WEIGHTS.map((w) => -w))).relativeError).toBeGreaterThan(0.5);
    expect((await check(WEIGHTS.map(() => 0))).relativeError).toBeGreaterThan(0.5);
    const { relativeError, worst } = await check(WEIGHTS.map((w, i) => (i === 7 ? NaN : w)));
    expect(relativeError).toBeNaN();
    expect(worst.index).toBe(7);
  });

  it('refuses float32', async () => {
    const graph = new Graph(new ReferenceBackend('float32'), 1);
    const loss = graph.apply(l2Penalty(1), { weight: graph.parameter('weight', [2]) });
    await expect(checkGradients(graph, loss)).rejects.toThrow('float64, got float32');
  });
});
