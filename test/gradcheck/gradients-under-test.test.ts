import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { activation } from '../../src/engine/gates/activation.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { hinge } from '../../src/engine/gates/losses/hinge.ts';
import { Graph } from '../../src/engine/graph.ts';
import { gateGradients, parameterGradients } from '../../src/gradcheck/gradients-under-test.ts';
import { Random } from '../../src/random.ts';
import { float64Graph, normals } from '../support/graphs.ts';

const PASS = { training: true, key: 1 };

/** hinge(relu(X Wᵀ + b), labels) with X [5, 4] and three classes. */
function example() {
  const graph = float64Graph();
  const x = graph.input('x', [4]);
  const labels = graph.input('labels', [], 'label');
  const weight = graph.parameter('weight', [3, 4]);
  const bias = graph.parameter('bias', [3]);
  const scores = graph.apply(linear, { x, weight, bias }, 'scores');
  const loss = graph.apply(hinge, { logits: graph.apply(activation('relu'), { x: scores }, 'hidden'), labels });
  graph.backend.write(x.tensor, normals(20, 'x'));
  graph.backend.write(labels.tensor, [0, 2, 1, 1, 0]);
  graph.backend.write(weight.tensor, normals(12, 'weight'));
  return { graph, weight, loss };
}

describe('parameterGradients', () => {
  it('yields the gradients of backpropagation, and restores the parameters', async () => {
    const { graph, weight, loss } = example();
    const names: string[] = [];
    for await (const tested of parameterGradients(graph, loss, PASS)) {
      names.push(tested.wire.name);
      expect(tested.gradient.some((value) => value !== 0)).toBe(true);
      const { value } = await tested.evaluate(tested.point.map((w) => w + 0.5));
      expect(value).not.toBe((await tested.evaluate(tested.point)).value);
      await tested.evaluate(tested.point.map((w) => w + 0.5));
    }
    expect(names).toEqual(['weight', 'bias']);
    expect(await graph.backend.read(weight.tensor)).toEqual(normals(12, 'weight'));
  });

  it('changes the kink sides when a unit switches on or off, or a class comes within the margin', async () => {
    const { graph, loss } = example();
    for await (const { wire, point, evaluate } of parameterGradients(graph, loss, PASS)) {
      if (wire.name !== 'bias') continue;
      const { kinkSides } = await evaluate(point);
      expect((await evaluate(point.map((b) => b + 1e-9))).kinkSides).toBe(kinkSides);
      expect((await evaluate(point.map((b) => b + 100))).kinkSides, 'all units on').not.toBe(kinkSides);
      const allOn = (await evaluate(Float64Array.of(100, 100, 100))).kinkSides;
      expect((await evaluate(Float64Array.of(200, 100, 100))).kinkSides, 'other margins').not.toBe(allOn);
    }
  });
});

describe('gateGradients', () => {
  it('yields every gradient of every gate in the order of the tape', async () => {
    const { graph } = example();
    graph.forward(PASS);
    const found: string[] = [];
    for await (const { entry, input, gradient } of gateGradients(graph, PASS, new Random(1))) {
      found.push(`${entry.output.name} ${input} ${gradient.length}`);
    }
    expect(found).toEqual(['scores x 20', 'scores weight 12', 'scores bias 3', 'hidden x 15', 'hinge logits 15']);
  });
});

it('refuses float32', async () => {
  const graph = new Graph(new ReferenceBackend('float32'), 1);
  const loss = graph.parameter('w', []);
  await expect(parameterGradients(graph, loss, PASS).next()).rejects.toThrow('float64, got float32');
  await expect(gateGradients(graph, PASS, new Random(1)).next()).rejects.toThrow('float64, got float32');
});
