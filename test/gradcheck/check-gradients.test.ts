import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { valuesOf } from '../../src/backends/reference/tensor.ts';
import type { Gate } from '../../src/engine/gate.ts';
import { activation } from '../../src/engine/gates/activation.ts';
import { dropout } from '../../src/engine/gates/dropout.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { hinge } from '../../src/engine/gates/losses/hinge.ts';
import { l2Penalty } from '../../src/engine/gates/losses/l2-penalty.ts';
import { softmaxCrossEntropy } from '../../src/engine/gates/losses/softmax-cross-entropy.ts';
import { Graph } from '../../src/engine/graph.ts';
import { checkGradients } from '../../src/gradcheck/check-gradients.ts';
import { checkEveryCoordinate } from '../support/every-coordinate.ts';
import { ACTIVATIONS, float64Graph, normals } from '../support/graphs.ts';

const WEIGHTS = normals(12, 'weight');
const LARGEST = WEIGHTS.findIndex((w) => Math.abs(w) === Math.max(...WEIGHTS.map(Math.abs)));

/** ½ ‖w‖² with a backward that returns the given gradient instead of w. */
function lossWithGradient(gradient: Float64Array) {
  const gate: Gate<'weight'> = {
    ...l2Penalty(1),
    backward(backend, { upstream }) {
      return {
        weight(into) {
          const tensor = backend.allocate([3, 4]);
          backend.write(
            tensor,
            gradient.map((value) => valuesOf(upstream)[0] * value),
          );
          backend.deliver(tensor, into);
        },
      };
    },
  };
  const graph = float64Graph();
  const weight = graph.parameter('weight', [3, 4]);
  graph.backend.write(weight.tensor, WEIGHTS);
  return { graph, weight, loss: graph.apply(gate, { weight }) };
}

/** The gradient check and the loop over every coordinate must agree on these gradients. */
const GRADIENTS: [name: string, gradient: Float64Array, least: number, most: number, worst?: number][] = [
  ['a right gradient', WEIGHTS, 0, 1e-9],
  ['one that is 0.1 % off', WEIGHTS.map((w) => 1.001 * w), 1e-4, 1e-2],
  [
    'one that is 0.1 % off at one coordinate',
    WEIGHTS.map((w, i) => (i === LARGEST ? 1.001 : 1) * w),
    1e-4,
    1e-2,
    LARGEST,
  ],
  ['one with the wrong sign', WEIGHTS.map((w) => -w), 0.5, 2],
  ['a missing one', WEIGHTS.map(() => 0), 0.5, 1],
];

describe.each(GRADIENTS)('of %s', (_, gradient, least, most, worst) => {
  it('the gradient check measures the error', async () => {
    const { graph, weight, loss } = lossWithGradient(gradient);
    const { passed, parameters, gates } = await checkGradients(graph, loss);
    expect(passed).toBe(least === 0);
    for (const { relativeError, coordinate, fault } of [{ ...parameters[0], fault: null }, gates[0]]) {
      expect(relativeError).toBeGreaterThanOrEqual(least);
      expect(relativeError).toBeLessThanOrEqual(most);
      if (worst !== undefined) expect((fault ?? coordinate)!.index).toBe(worst);
    }
    expect(await graph.backend.read(weight.tensor), 'parameters afterwards').toEqual(WEIGHTS);
  });

  it('so does the loop over every coordinate', async () => {
    const { graph, weight, loss } = lossWithGradient(gradient);
    const [{ relativeError, index }] = await checkEveryCoordinate(graph, loss);
    expect(relativeError).toBeGreaterThanOrEqual(least / 2);
    expect(relativeError).toBeLessThanOrEqual(most);
    if (worst !== undefined) expect(index).toBe(worst);
    expect(await graph.backend.read(weight.tensor), 'parameters afterwards').toEqual(WEIGHTS);
  });
});

it('both fail a NaN and name its coordinate', async () => {
  const { graph, loss } = lossWithGradient(WEIGHTS.map((w, i) => (i === 7 ? NaN : w)));
  const { passed, parameters } = await checkGradients(graph, loss);
  expect(passed).toBe(false);
  expect(parameters[0]).toMatchObject({ verdict: 'wrong', relativeError: Infinity, coordinate: { index: 7 } });
  const [{ relativeError, index }] = await checkEveryCoordinate(graph, loss);
  expect([relativeError, index]).toEqual([NaN, 7]);
});

describe('on a network', () => {
  function network(kind: (typeof ACTIVATIONS)[number], lossGate: Gate<'logits' | 'labels'>, rate = 0.3) {
    const graph = float64Graph();
    const [x, labels] = [graph.input('x', [6]), graph.input('labels', [], 'label')];
    const parameter = (name: string, shape: number[]) => {
      const wire = graph.parameter(name, shape);
      graph.backend.write(
        wire.tensor,
        normals(
          shape.reduce((a, b) => a * b),
          name,
        ),
      );
      return wire;
    };
    const scores = graph.apply(linear, { x, weight: parameter('W1', [7, 6]), bias: parameter('b1', [7]) }, 'fc1');
    const hidden = graph.apply(dropout(rate), { x: graph.apply(activation(kind), { x: scores }) });
    const logits = graph.apply(linear, { x: hidden, weight: parameter('W2', [4, 7]), bias: parameter('b2', [4]) });
    graph.backend.write(x.tensor, normals(30, 'x'));
    graph.backend.write(labels.tensor, [0, 2, 1, 3, 0]);
    return { graph, loss: graph.apply(lossGate, { logits, labels }) };
  }

  it.each(ACTIVATIONS)('with %s it passes every parameter and every gate', async (kind) => {
    for (const lossGate of [hinge, softmaxCrossEntropy(0.1)]) {
      const { graph, loss } = network(kind, lossGate);
      const { passed, parameters, gates } = await checkGradients(graph, loss);
      expect(passed).toBe(true);
      expect(parameters.map(({ parameter }) => parameter)).toEqual(['W1', 'b1', 'W2', 'b2']);
      expect(gates.map(({ gate, input }) => `${gate} ${input}`)).toEqual([
        'linear x',
        'linear weight',
        'linear bias',
        `${kind} x`,
        'dropout x',
        'linear x',
        'linear weight',
        'linear bias',
        `${lossGate.name} logits`,
      ]);
    }
  });

  it('measures the same slopes as the loop over every coordinate', async () => {
    // Without dropout, whose masks would differ.
    const { graph, loss } = network('tanh', softmaxCrossEntropy(), 0);
    const { parameters } = await checkGradients(graph, loss);
    for (const [i, { numeric }] of (await checkEveryCoordinate(graph, loss)).entries()) {
      const { coordinate, largest } = parameters[i];
      expect(coordinate!.numeric / numeric[coordinate!.index]).toBeCloseTo(1, 6);
      expect(largest / Math.max(...numeric.map(Math.abs))).toBeCloseTo(1, 6);
    }
  });

  it('leaves the parameters unchanged when it is aborted', async () => {
    const { graph, loss } = network('relu', hinge);
    const read = () => Promise.all(graph.parameters.map(({ tensor }) => graph.backend.read(tensor)));
    const before = await read();
    const controller = new AbortController();
    const onProgress = (share: number) => {
      if (share > 0.3) controller.abort(new Error('enough'));
    };
    await expect(checkGradients(graph, loss, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
    expect(await read()).toEqual(before);
  });
});

it('refuses float32', async () => {
  const graph = new Graph(new ReferenceBackend('float32'), 1);
  const loss = graph.apply(l2Penalty(1), { weight: graph.parameter('weight', [2]) });
  await expect(checkGradients(graph, loss)).rejects.toThrow('float64, got float32');
});
