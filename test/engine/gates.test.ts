import { describe, expect, it } from 'vitest';
import { type ElementwiseBackend, ShapeError } from '../../src/backends/backend.ts';
import type { Gate } from '../../src/engine/gate.ts';
import { activation } from '../../src/engine/gates/activation.ts';
import { add } from '../../src/engine/gates/add.ts';
import * as arithmetic from '../../src/engine/gates/arithmetic.ts';
import { dropout } from '../../src/engine/gates/dropout.ts';
import { withConstant } from '../../src/engine/gates/elementwise.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { hinge } from '../../src/engine/gates/losses/hinge.ts';
import { l2Penalty } from '../../src/engine/gates/losses/l2-penalty.ts';
import { softmaxCrossEntropy } from '../../src/engine/gates/losses/softmax-cross-entropy.ts';
import { matmul } from '../../src/engine/gates/matmul.ts';
import { copy, sum, transpose } from '../../src/engine/gates/rearrange.ts';
import { norm2 } from '../../src/engine/gates/squared-norm.ts';
import type { Graph } from '../../src/engine/graph.ts';
import type { Wire } from '../../src/engine/wire.ts';
import { checkEveryCoordinate } from '../support/every-coordinate.ts';
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

/** A graph whose gates may apply any function elementwise. */
type TestGraph = Graph<ElementwiseBackend>;

/** Every gate, turned into a scalar function of parameters. A gate whose output is not a scalar is followed by half the
 *  squared norm of that output. Its upstream gradient is then the output itself, different for every element. */
const GATES: Record<string, (graph: TestGraph) => Wire> = {
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
  ...Object.fromEntries(
    [arithmetic.subtract, arithmetic.multiply, arithmetic.divide, arithmetic.maximum, arithmetic.minimum].map(
      (gate) => [
        gate.name,
        (graph: TestGraph) =>
          halfSquaredNorm(
            graph,
            graph.apply(gate, { a: parameter(graph, 'a', [3, 4]), b: parameter(graph, 'b', [3, 4]) }),
          ),
      ],
    ),
  ),
  'power of positive numbers': (graph) =>
    halfSquaredNorm(
      graph,
      graph.apply(arithmetic.power, { a: positive(graph, 'a', [3, 4]), b: parameter(graph, 'b', [3, 4]) }),
    ),
  ...Object.fromEntries(
    [
      arithmetic.exp,
      arithmetic.log,
      arithmetic.sqrt,
      arithmetic.plusConstant(-3),
      withConstant('2−x', arithmetic.subtract, 'a', 2),
      withConstant('×−1', arithmetic.multiply, 'b', -1),
      withConstant('1/x', arithmetic.divide, 'a', 1),
      withConstant('^3', arithmetic.power, 'b', 3),
      withConstant('2^x', arithmetic.power, 'a', 2),
    ].map((gate) => [gate.name, (graph: TestGraph) => ofPositive(graph, gate)]),
  ),
  abs: (graph) => halfSquaredNorm(graph, graph.apply(arithmetic.absolute, { x: parameter(graph, 'x', [3, 4]) })),
  matmul: (graph) =>
    halfSquaredNorm(graph, graph.apply(matmul, { a: parameter(graph, 'a', [3, 4]), b: parameter(graph, 'b', [4, 2]) })),
  transpose: (graph) =>
    halfSquaredNorm(
      graph,
      graph.apply(matmul, {
        a: graph.apply(transpose, { x: parameter(graph, 'x', [3, 4]) }),
        b: parameter(graph, 'b', [3, 2]),
      }),
    ),
  sum: (graph) => halfSquaredNorm(graph, graph.apply(sum, { x: parameter(graph, 'x', [3, 4]) })),
  copy: (graph) =>
    halfSquaredNorm(
      graph,
      graph.apply(add, {
        a: graph.apply(copy([3, 4]), { x: parameter(graph, 'x', []) }),
        b: parameter(graph, 'b', [3, 4]),
      }),
    ),
  norm2: (graph) => halfSquaredNorm(graph, graph.apply(norm2, { x: parameter(graph, 'x', [3, 4]) })),
};

function positive(graph: TestGraph, name: string, shape: number[]): Wire {
  const wire = parameter(graph, name, shape);
  const size = shape.reduce((a, b) => a * b, 1);
  graph.backend.write(
    wire.tensor,
    normals(size, name).map((value) => 0.5 + Math.abs(value)),
  );
  return wire;
}

function ofPositive(graph: TestGraph, gate: Gate<'x', ElementwiseBackend>): Wire {
  return halfSquaredNorm(graph, graph.apply(gate, { x: positive(graph, 'x', [3, 4]) }));
}

function halfSquaredNorm(graph: Graph, wire: Wire): Wire {
  return graph.apply(l2Penalty(1), { weight: wire });
}

describe.each(Object.keys(GATES))('gate %s', (name) => {
  it('agrees with central differences', async () => {
    const graph = float64Graph();
    const loss = GATES[name](graph);
    const checks = await checkEveryCoordinate(graph, loss);
    expect(checks.map(({ parameter }) => parameter)).toEqual(graph.parameters.map(({ name }) => name));
    for (const check of checks) expect(check.relativeError, check.parameter).toBeLessThan(1e-6);
  });

  it('has mostly non-zero gradients', async () => {
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

describe('at a kink', () => {
  async function gradients(gate: Gate<'a' | 'b', ElementwiseBackend>, a: number[], b: number[]) {
    const graph = float64Graph();
    const inputs = { a: graph.parameter('a', [a.length]), b: graph.parameter('b', [b.length]) };
    graph.backend.write(inputs.a.tensor, a);
    graph.backend.write(inputs.b.tensor, b);
    graph.backward(graph.apply(gate, inputs), new Map(), [10, 20, 30]);
    const read = async (wire: Wire) => Array.from(await graph.backend.read(wire.gradient));
    return [await read(inputs.a), await read(inputs.b)];
  }

  it('max and min send the whole gradient to one input, at a tie to the first', async () => {
    expect(await gradients(arithmetic.maximum, [1, 5, 2], [2, 3, 2])).toEqual([
      [0, 20, 30],
      [10, 0, 0],
    ]);
    expect(await gradients(arithmetic.minimum, [1, 5, 2], [2, 3, 2])).toEqual([
      [10, 0, 30],
      [0, 20, 0],
    ]);
  });

  it('the gradient of |x| is 0 at 0, and that of a step is 0 everywhere', async () => {
    const { local: derivative } = arithmetic.absolute;
    expect([-2, 0, 2].map((x) => derivative.x(x, Math.abs(x)))).toEqual([-1, 0, 1]);
    const { value, local } = arithmetic.step;
    expect([-2, 0, 2].map((x) => [value(x), local.x(x, value(x))])).toEqual([
      [0, 0],
      [0, 0],
      [1, 0],
    ]);
  });

  it('a power has its derivatives at 0 where they exist', () => {
    const { a, b } = arithmetic.power.local;
    expect([a(0, 0, 1), a(0, 1, 0), a(0, 2, 0), b(0, 2, 0)]).toEqual([0, 1, 0, 0]);
    expect(b(-2, 2, 4)).toBeNaN();
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
    expect(() => graph.apply(arithmetic.multiply, { a: x, b: weight })).toThrow('b has shape [3, 6], wanted [5, 7]');
    expect(() => graph.apply(matmul, { a: x, b: weight })).toThrow('cannot multiply [5, 7] by [3, 6]');
    expect(() => graph.apply(copy([2]), { x: bias })).toThrow('x has shape [3], wanted []');
    expect(() => graph.apply(transpose, { x: bias })).toThrow('cannot transpose a tensor of shape [3]');
    expect(() => graph.apply(hinge, { logits: weight, labels: graph.input('labels', [], 'label') })).toThrow(
      ShapeError,
    );
  });
});
