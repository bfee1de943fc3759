import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/backends/backend.ts';
import { activation } from '../../src/engine/gates/activation.ts';
import { add } from '../../src/engine/gates/add.ts';
import { dropout } from '../../src/engine/gates/dropout.ts';
import { hinge } from '../../src/engine/gates/hinge.ts';
import { l2Penalty } from '../../src/engine/gates/l2-penalty.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { softmaxCrossEntropy } from '../../src/engine/gates/softmax-cross-entropy.ts';
import { checkGradients } from '../../src/engine/gradient-check.ts';
import type { Graph, Wire } from '../../src/engine/graph.ts';
import { ACTIVATIONS, float64Graph, normals } from '../support/graphs.ts';

function parameter(graph: Graph, name: string, shape: number[]): Wire {
  const wire = graph.parameter(name, shape);
  graph.backend.write(
    wire.tensor,
    normals(
      shape.reduce((a, b) => a * b, 1),
      name,
    ),
  );
  return wire;
}

function labels(graph: Graph): Wire {
  const wire = graph.input('labels', [], 'label');
  graph.backend.write(wire.tensor, [0, 2, 1, 3, 2]);
  return wire;
}

/** Every gate, made into a scalar function of parameters. A gate with an output of any shape is followed by half its
 *  squared norm, whose upstream gradient is the output itself: no two elements get the same. */
const GATES: Record<string, (graph: Graph) => Wire> = {
  linear: (graph) => {
    const inputs = {
      x: parameter(graph, 'x', [5, 7]),
      weight: parameter(graph, 'weight', [3, 7]),
      bias: parameter(graph, 'bias', [3]),
    };
    return halfSquaredNorm(graph, graph.apply(linear, inputs));
  },
  ...Object.fromEntries(
    ACTIVATIONS.map((kind) => [
      kind,
      (graph: Graph) => halfSquaredNorm(graph, graph.apply(activation(kind), { x: parameter(graph, 'x', [5, 7]) })),
    ]),
  ),
  dropout: (graph) => halfSquaredNorm(graph, graph.apply(dropout(0.4), { x: parameter(graph, 'x', [5, 7]) })),
  add: (graph) =>
    halfSquaredNorm(graph, graph.apply(add, { a: parameter(graph, 'a', [5, 7]), b: parameter(graph, 'b', [5, 7]) })),
  'L2 penalty': (graph) => graph.apply(l2Penalty(0.3), { weight: parameter(graph, 'weight', [4, 6]) }),
  hinge: (graph) => graph.apply(hinge, { logits: parameter(graph, 'logits', [5, 4]), labels: labels(graph) }),
  'softmax cross-entropy': (graph) =>
    graph.apply(softmaxCrossEntropy(), { logits: parameter(graph, 'logits', [5, 4]), labels: labels(graph) }),
  'softmax cross-entropy with label smoothing': (graph) =>
    graph.apply(softmaxCrossEntropy(0.2), { logits: parameter(graph, 'logits', [5, 4]), labels: labels(graph) }),
};

function halfSquaredNorm(graph: Graph, wire: Wire): Wire {
  return graph.apply(l2Penalty(1), { weight: wire });
}

describe.each(Object.keys(GATES))('the gate %s', (name) => {
  it('agrees with central differences', async () => {
    const graph = float64Graph();
    const loss = GATES[name](graph);
    const checks = await checkGradients(graph, loss);
    expect(checks.map(({ parameter }) => parameter)).toEqual(graph.parameters.map(({ name }) => name));
    for (const check of checks) expect(check.relativeError, check.parameter).toBeLessThan(1e-6);
  });

  it('has gradients that are not all zero', async () => {
    const graph = float64Graph();
    const loss = GATES[name](graph);
    graph.forward({ training: true, key: 1 });
    graph.backward(loss);
    for (const wire of graph.parameters) {
      const gradient = await graph.backend.read(wire.gradient);
      expect(gradient.filter((value) => value !== 0).length, wire.name).toBeGreaterThan(gradient.length / 4);
    }
  });
});

describe('outside training', () => {
  const losses: Record<string, (graph: Graph, x: Wire, amount: number) => Wire> = {
    dropout: (graph, x, rate) => halfSquaredNorm(graph, graph.apply(dropout(rate), { x })),
    'label smoothing': (graph, x, smoothing) =>
      graph.apply(softmaxCrossEntropy(smoothing), { logits: x, labels: labels(graph) }),
  };
  it.each(Object.keys(losses))('%s does nothing, forward and backward', async (name) => {
    const run = async (amount: number) => {
      const graph = float64Graph();
      const x = parameter(graph, 'x', [5, 4]);
      const loss = losses[name](graph, x, amount);
      graph.forward({ training: false, key: 1 });
      graph.backward(loss);
      return [await graph.backend.read(loss.tensor), await graph.backend.read(x.gradient)];
    };
    expect(await run(0.3)).toEqual(await run(0));
  });
});

describe('shapes', () => {
  it('are checked when a gate is applied', () => {
    const graph = float64Graph();
    const x = graph.parameter('x', [5, 7]);
    const weight = graph.parameter('weight', [3, 6]);
    const bias = graph.parameter('bias', [3]);
    expect(() => graph.apply(linear, { x, weight, bias })).toThrow(ShapeError);
    expect(() => graph.apply(linear, { x, weight, bias })).toThrow('weight has shape [3, 6], wanted [3, 7]');
    expect(() => graph.apply(linear, { x, weight: graph.parameter('w', [3, 7]), bias: weight })).toThrow(
      'bias has shape',
    );
    const four = graph.parameter('logits', [4, 3]);
    const labels = graph.input('labels', [], 'label');
    expect(() => graph.apply(softmaxCrossEntropy(), { logits: four, labels })).toThrow(
      'labels has shape [5], wanted [4]',
    );
    expect(() => graph.apply(add, { a: x, b: weight })).toThrow('b has shape [3, 6], wanted [5, 7]');
    expect(() => graph.apply(hinge, { logits: weight, labels: graph.input('labels', [], 'label') })).toThrow(
      ShapeError,
    );
  });
});
