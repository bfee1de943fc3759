import { describe, expect, it } from 'vitest';
import { type Backend, sizeOf, type WritingSink } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { add } from '../../src/engine/gates/add.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { l2Penalty } from '../../src/engine/gates/losses/l2-penalty.ts';
import { softmaxCrossEntropy } from '../../src/engine/gates/losses/softmax-cross-entropy.ts';
import { multiBias } from '../../src/engine/gates/multi-bias.ts';
import { Graph } from '../../src/engine/graph.ts';
import type { Wire } from '../../src/engine/wire.ts';
import { checkEveryCoordinate } from '../support/every-coordinate.ts';
import { float64Graph, normals } from '../support/graphs.ts';

describe('the example of the lecture', () => {
  it('‖Wx‖² has the gradients 2q xᵀ and 2Wᵀq', async () => {
    const graph = float64Graph();
    const x = graph.parameter('x', [1, 2]);
    const weight = graph.parameter('W', [2, 2]);
    const bias = graph.parameter('b', [2]);
    graph.backend.write(x.tensor, [0.2, 0.4]);
    graph.backend.write(weight.tensor, [0.1, 0.5, -0.3, 0.8]);
    const q = graph.apply(linear, { x, weight, bias });
    const f = graph.apply(l2Penalty(2), { weight: q });
    graph.forward();
    graph.backward(f);
    const read = async (wire: Wire) => Array.from(await graph.backend.read(wire.gradient));
    expect((await graph.backend.read(f.tensor))[0]).toBeCloseTo(0.116, 12);
    expect(await read(q)).toEqual([expect.closeTo(0.44, 12), expect.closeTo(0.52, 12)]);
    expect(await read(weight)).toEqual([0.088, 0.176, 0.104, 0.208].map((value) => expect.closeTo(value, 12)));
    expect(await read(x)).toEqual([-0.112, 0.636].map((value) => expect.closeTo(value, 12)));
  });
});

/** Softmax regression with an L2 term: W reaches the loss along two paths. */
function regularised(backend: Backend = new ReferenceBackend('float64')) {
  const graph = new Graph(backend, 4);
  const x = graph.input('x', [3]);
  const labels = graph.input('labels', [], 'label');
  const weight = graph.parameter('W', [2, 3]);
  const bias = graph.parameter('b', [2]);
  const logits = graph.apply(linear, { x, weight, bias });
  const dataLoss = graph.apply(softmaxCrossEntropy(), { logits, labels });
  const loss = graph.apply(add, { a: dataLoss, b: graph.apply(l2Penalty(0.7), { weight }) });
  backend.write(x.tensor, normals(12, 'x'));
  backend.write(labels.tensor, [0, 1, 1, 0]);
  backend.write(weight.tensor, normals(6, 'W'));
  backend.write(bias.tensor, normals(2, 'b'));
  return { graph, weight, bias, logits, dataLoss, loss };
}

describe('a backward pass', () => {
  it('adds up the gradients of a value that fans out', async () => {
    const { graph, loss } = regularised();
    for (const check of await checkEveryCoordinate(graph, loss)) expect(check.relativeError).toBeLessThan(1e-8);
  });

  it('counts a value twice if it enters one gate twice', async () => {
    const graph = float64Graph();
    const x = graph.parameter('x', [3]);
    graph.backend.write(x.tensor, [1, -2, 3]);
    const loss = graph.apply(l2Penalty(1), { weight: graph.apply(add, { a: x, b: x }) });
    graph.forward();
    graph.backward(loss);
    expect(Array.from(await graph.backend.read(x.gradient))).toEqual([4, -8, 12]);
  });

  it('rejects a loss that is not a scalar', () => {
    const { graph, logits } = regularised();
    graph.forward();
    expect(() => graph.backward(logits)).toThrow("the loss 'linear' has shape [4, 2], wanted []");
  });

  it('does not add to the gradients of an earlier pass', async () => {
    const { graph, weight, loss } = regularised();
    graph.forward();
    graph.backward(loss);
    const once = await graph.backend.read(weight.gradient);
    graph.backward(loss);
    expect(await graph.backend.read(weight.gradient)).toEqual(once);
  });
});

describe('sinks', () => {
  const rule = { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 } as const;

  it.each(['float32', 'float64'] as const)(
    'give the same bits in %s, whether they store, add or update in place',
    async (dtype) => {
      const results: Float32Array[][] = [];
      for (const kind of ['store', 'add', 'update'] as const) {
        // Without the L2 term W is used only once, so its sink goes straight to the gate.
        const { graph, weight, bias, dataLoss } = regularised(new ReferenceBackend(dtype));
        const { backend } = graph;
        graph.forward();
        const states = new Map([weight, bias].map((wire) => [wire, [backend.allocate(wire.shape)]]));
        const sinks = new Map<Wire, WritingSink>();
        for (const [wire, state] of states) {
          const tensor = kind === 'update' ? wire.tensor : backend.allocate(wire.shape);
          sinks.set(wire, kind === 'update' ? { kind, tensor, rule, state } : { kind, tensor });
        }
        graph.backward(dataLoss, sinks);
        if (kind !== 'update') {
          for (const [wire, state] of states) {
            backend.deliver(sinks.get(wire)!.tensor, { kind: 'update', tensor: wire.tensor, rule, state });
          }
        }
        results.push(
          await Promise.all([weight, bias].map(async (wire) => Float32Array.from(await backend.read(wire.tensor)))),
        );
      }
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
      expect(results[0][0]).not.toEqual(Float32Array.from(normals(6, 'W')));
    },
  );

  it('update a parameter that is used twice only once, with the sum of its gradients', async () => {
    const stored = regularised();
    stored.graph.forward();
    stored.graph.backward(stored.loss);
    const gradient = await stored.graph.backend.read(stored.weight.gradient);

    const updated = regularised();
    const { tensor } = updated.weight;
    const plain = { ...rule, weightDecay: 0 };
    const state = [updated.graph.backend.allocate(tensor.shape)];
    updated.graph.forward();
    updated.graph.backward(updated.loss, new Map([[updated.weight, { kind: 'update', tensor, rule: plain, state }]]));
    const weights = await updated.graph.backend.read(tensor);
    // The first step of Nesterov momentum from rest: g + 0.9 g.
    expect(Array.from(weights)).toEqual(
      Array.from(normals(6, 'W'), (w, i) => expect.closeTo(w - 0.1 * 1.9 * gradient[i], 14)),
    );
  });

  it('give the same bits as stored gradients for a gate with several parameters', async () => {
    const results = [];
    for (const inPlace of [false, true]) {
      const graph = float64Graph();
      const wires = [graph.parameter('x', [4, 3]), graph.parameter('W', [5, 3]), graph.parameter('b', [5])];
      const [x, weight, bias] = wires;
      for (const { tensor, name } of wires) graph.backend.write(tensor, normals(sizeOf(tensor.shape), name));
      const loss = graph.apply(l2Penalty(1), { weight: graph.apply(linear, { x, weight, bias }) });
      const update = { ...rule, momentum: 0 };
      const sinks = wires.map(
        (wire) => [wire, { kind: 'update', tensor: wire.tensor, rule: update, state: [] }] as const,
      );
      graph.forward();
      graph.backward(loss, inPlace ? new Map(sinks) : undefined);
      if (!inPlace) for (const [wire, sink] of sinks) graph.backend.deliver(wire.gradient, sink);
      results.push(await Promise.all(wires.map(({ tensor }) => graph.backend.read(tensor))));
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('update a parameter only after the other gradients of its gate, whatever the order of the inputs', async () => {
    const build = () => {
      const graph = float64Graph();
      const [x, weight, bias] = [graph.parameter('x', [2, 3]), graph.parameter('W', [2, 3]), graph.parameter('b', [2])];
      for (const { tensor, name } of [x, weight]) graph.backend.write(tensor, normals(6, name));
      const hidden = graph.apply(add, { a: x, b: x });
      const loss = graph.apply(l2Penalty(1), { weight: graph.apply(linear, { weight, bias, x: hidden }) });
      graph.forward();
      return { graph, x, weight, loss };
    };
    const stored = build();
    stored.graph.backward(stored.loss);
    const updated = build();
    const { tensor } = updated.weight;
    updated.graph.backward(
      updated.loss,
      new Map([[updated.weight, { kind: 'update', tensor, rule: { ...rule, momentum: 0 }, state: [] }]]),
    );
    expect(await updated.graph.backend.read(tensor)).not.toEqual(await stored.graph.backend.read(stored.weight.tensor));
    expect(await updated.graph.backend.read(updated.x.gradient)).toEqual(
      await stored.graph.backend.read(stored.x.gradient),
    );
  });
});

describe('a gate that passes gradients on', () => {
  /** logits = multi-bias(x, b) Wᵀ + b₂, with a second use of the hidden values on demand. */
  function network(isUsedTwice: boolean) {
    const graph = float64Graph();
    const wires = {
      x: graph.parameter('x', [4, 3]),
      bias: graph.parameter('b', [6]),
      weight: graph.parameter('W', [2, 6]),
      bias2: graph.parameter('b₂', [2]),
    };
    const { x, bias, weight, bias2 } = wires;
    for (const wire of Object.values(wires)) graph.backend.write(wire.tensor, normals(sizeOf(wire.shape), wire.name));
    const hidden = graph.apply(multiBias(2), { x, bias });
    const scores = graph.apply(l2Penalty(1), { weight: graph.apply(linear, { x: hidden, weight, bias: bias2 }) });
    const loss = isUsedTwice
      ? graph.apply(add, { a: scores, b: graph.apply(l2Penalty(1), { weight: hidden }) })
      : scores;
    graph.forward();
    return { graph, parameters: Object.values(wires), hidden, loss };
  }

  it.each([
    ['once', false],
    ['twice', true],
  ] as const)('gives the bits of stored gradients if its output is used %s', async (_, isUsedTwice) => {
    const stored = network(isUsedTwice);
    stored.graph.backward(stored.loss);
    const updated = network(isUsedTwice);
    const rule = { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 } as const;
    const sinkOf = ({ tensor }: Wire): WritingSink => ({ kind: 'update', tensor, rule, state: [] });
    updated.graph.backward(updated.loss, new Map(updated.parameters.map((wire) => [wire, sinkOf(wire)])));
    for (const [i, wire] of stored.parameters.entries()) {
      stored.graph.backend.deliver(wire.gradient, sinkOf(wire));
      const wanted = await stored.graph.backend.read(wire.tensor);
      expect(await updated.graph.backend.read(updated.parameters[i].tensor)).toEqual(wanted);
      expect(wanted).not.toEqual(normals(sizeOf(wire.shape), wire.name));
    }
  });

  it('does not store the gradient of its output, unless all gradients are asked for', async () => {
    const passing = network(false);
    const [x] = passing.parameters;
    passing.graph.backward(
      passing.loss,
      new Map([[x, { kind: 'store', tensor: passing.graph.backend.allocate([4, 3]) }]]),
    );
    expect(() => passing.hidden.gradient).toThrow("'crelu' has no stored gradient");
    passing.graph.backward(passing.loss);
    expect(passing.hidden.gradient.shape).toEqual([4, 6]);
  });
});

describe('a batch smaller than the capacity', () => {
  it('gives the same results as a graph of that capacity', async () => {
    const { graph, weight, logits, loss } = regularised();
    const { backend } = graph;
    graph.batchSize = 3;
    expect(logits.shape).toEqual([3, 2]);
    expect(loss.shape).toEqual([]);
    graph.forward();
    graph.backward(loss);
    const [small, gradient] = [await backend.read(logits.tensor), await backend.read(weight.gradient)];

    const exact = new Graph(backend, 3);
    const x = exact.input('x', [3]);
    const labels = exact.input('labels', [], 'label');
    const W = exact.parameter('W', [2, 3]);
    const b = exact.parameter('b', [2]);
    const scores = exact.apply(linear, { x, weight: W, bias: b });
    const data = exact.apply(softmaxCrossEntropy(), { logits: scores, labels });
    const total = exact.apply(add, { a: data, b: exact.apply(l2Penalty(0.7), { weight: W }) });
    backend.write(x.tensor, normals(12, 'x').subarray(0, 9));
    backend.write(labels.tensor, [0, 1, 1]);
    backend.write(W.tensor, normals(6, 'W'));
    backend.write(b.tensor, normals(2, 'b'));
    exact.forward();
    exact.backward(total);
    expect(small).toEqual(await backend.read(scores.tensor));
    expect(gradient).toEqual(await backend.read(W.gradient));
  });

  it('is rejected unless it is between 1 and the capacity', () => {
    const { graph } = regularised();
    expect(() => {
      graph.batchSize = 5;
    }).toThrow('a batch of 5 images does not fit this graph: it takes 1 to 4');
    expect(() => {
      graph.batchSize = 0;
    }).toThrow('a batch of 0 images');
  });
});
