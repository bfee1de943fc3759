import { describe, expect, it } from 'vitest';
import { type ElementwiseBackend, ShapeError } from '../../src/backends/backend.ts';
import type { Gate } from '../../src/engine/gate.ts';
import { activation } from '../../src/engine/gates/activation.ts';
import { add } from '../../src/engine/gates/add.ts';
import * as arithmetic from '../../src/engine/gates/arithmetic.ts';
import { dropout } from '../../src/engine/gates/dropout.ts';
import { withConstant } from '../../src/engine/gates/elementwise.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { localLinear, localLinearWithBias } from '../../src/engine/gates/local-linear.ts';
import { hinge } from '../../src/engine/gates/losses/hinge.ts';
import { l2Penalty } from '../../src/engine/gates/losses/l2-penalty.ts';
import { softmaxCrossEntropy } from '../../src/engine/gates/losses/softmax-cross-entropy.ts';
import { matmul } from '../../src/engine/gates/matmul.ts';
import { multiBias } from '../../src/engine/gates/multi-bias.ts';
import { copy, sum, transpose } from '../../src/engine/gates/rearrange.ts';
import { receptiveFields } from '../../src/engine/gates/receptive-fields.ts';
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
    [1, 3].flatMap((P) => {
      const inputs = (graph: TestGraph) => ({
        x: parameter(graph, 'x', [5, P * 4]),
        weight: parameter(graph, 'weight', [P * 2, 4]),
      });
      const bias = (graph: TestGraph) => parameter(graph, 'bias', [P * 2]);
      return [
        [`local linear, P = ${P}`, (graph) => halfSquaredNorm(graph, graph.apply(localLinear(P), inputs(graph)))],
        [
          `local linear with a bias, P = ${P}`,
          (graph) =>
            halfSquaredNorm(graph, graph.apply(localLinearWithBias(P), { ...inputs(graph), bias: bias(graph) })),
        ],
      ] satisfies [string, (graph: TestGraph) => Wire][];
    }),
  ),
  'local linear on receptive fields': (graph) => {
    const images = graph.input('images', [3072]);
    graph.backend.write(images.tensor, normals(5 * 3072, 'images'));
    const x = graph.apply(receptiveFields({ size: 16, stride: 16 }), { images });
    return halfSquaredNorm(graph, graph.apply(localLinear(4), { x, weight: parameter(graph, 'weight', [4, 768]) }));
  },
  ...Object.fromEntries(
    [1, 2, 3, 4].map((T) => [
      `multi-bias, T = ${T}`,
      (graph: TestGraph) => {
        const inputs = { x: parameter(graph, 'x', [5, 3]), bias: parameter(graph, 'bias', [T * 3]) };
        return halfSquaredNorm(graph, graph.apply(multiBias(T), inputs));
      },
    ]),
  ),
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

describe('local gates', () => {
  const images = normals(5 * 3072, 'images');
  const [size, stride, F] = [16, 8, 3];
  const corners = [0, 8, 16].flatMap((y) => [0, 8, 16].map((x) => ({ y, x })));

  /** The pixels of a field as a row of an image: its position there, in the order of the field's own values. */
  const positions = ({ y, x }: { y: number; x: number }) =>
    Array.from({ length: 3 * size * size }, (_, k) => {
      const [plane, row, column] = [Math.floor(k / size ** 2), Math.floor(k / size) % size, k % size];
      return plane * 1024 + (y + row) * 32 + x + column;
    });

  it('compute what a dense layer does whose weights are zero outside of the fields, forward and backward', async () => {
    const local = float64Graph();
    const x = local.input('images', [3072]);
    local.backend.write(x.tensor, images);
    const inputs = {
      x: local.apply(receptiveFields({ size, stride }), { images: x }),
      weight: parameter(local, 'weight', [9 * F, 768]),
      bias: parameter(local, 'bias', [9 * F]),
    };
    const y = local.apply(localLinearWithBias(9), inputs);

    const dense = float64Graph();
    const whole = dense.input('images', [3072]);
    dense.backend.write(whole.tensor, images);
    const wide = { weight: dense.parameter('weight', [9 * F, 3072]), bias: parameter(dense, 'bias', [9 * F]) };
    const compact = await local.backend.read(inputs.weight.tensor);
    const zeros = new Float64Array(9 * F * 3072);
    const seen = corners.flatMap((corner, p) =>
      Array.from({ length: F }, (_, f) => positions(corner).map((at) => (p * F + f) * 3072 + at)).flat(),
    );
    for (const [i, at] of seen.entries()) zeros[at] = compact[i];
    dense.backend.write(wide.weight.tensor, zeros);
    const wanted = dense.apply(linear, { x: whole, ...wide });

    const upstream = normals(5 * 9 * F, 'upstream');
    for (const [graph, out] of [[local, y] as const, [dense, wanted] as const]) {
      graph.forward();
      graph.backward(out, new Map(), upstream);
    }
    const close = (values: ArrayLike<number>) => Array.from(values, (value) => expect.closeTo(value, 10));
    expect(Array.from(await local.backend.read(y.tensor))).toEqual(close(await dense.backend.read(wanted.tensor)));
    const gradient = await dense.backend.read(wide.weight.gradient);
    expect(Array.from(await local.backend.read(inputs.weight.gradient))).toEqual(close(seen.map((at) => gradient[at])));
    expect(Array.from(await local.backend.read(inputs.bias.gradient))).toEqual(
      close(await dense.backend.read(wide.bias.gradient)),
    );
  });

  it('multi-bias with T = 1 is ReLU after a bias, and with T = 2 keeps positive and negative values apart', async () => {
    const graph = float64Graph(1);
    const x = graph.parameter('x', [1, 3]);
    const bias = graph.parameter('bias', [6]);
    graph.backend.write(x.tensor, [2, -1, 0.25]);
    graph.backend.write(bias.tensor, [0, 3, -0.5, 0, 3, -0.5]);
    const [one, two] = [graph.parameter('one', [3]), graph.apply(multiBias(2), { x, bias })];
    graph.backend.write(one.tensor, [0, 3, -0.5]);
    const relu = graph.apply(multiBias(1), { x, bias: one });
    graph.forward();
    expect(Array.from(await graph.backend.read(relu.tensor))).toEqual([2, 2, 0]);
    expect(Array.from(await graph.backend.read(two.tensor))).toEqual([2, 2, 0, 0, 4, 0]);
    graph.backward(two, new Map(), [1, 10, 100, 1000, 1e4, 1e5]);
    expect(Array.from(await graph.backend.read(x.gradient))).toEqual([1, 10 - 1e4, 0]);
    expect(Array.from(await graph.backend.read(bias.gradient))).toEqual([1, 10, 0, 0, 1e4, 0]);
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
    expect(() => graph.apply(localLinear(7), { x, weight })).toThrow('weight has shape [3, 6], wanted [0, 1]');
    expect(() => graph.apply(localLinearWithBias(1), { x, weight: graph.parameter('w', [3, 7]), bias: x })).toThrow(
      'bias has shape [5, 7], wanted [3]',
    );
    expect(() => graph.apply(multiBias(2), { x, bias })).toThrow('bias has shape [3], wanted [14]');
    expect(() => graph.apply(receptiveFields({ size: 16, stride: 8 }), { images: x })).toThrow(
      'an image has 3072 values, got 7',
    );
    expect(() => graph.apply(hinge, { logits: weight, labels: graph.input('labels', [], 'label') })).toThrow(
      ShapeError,
    );
  });
});
