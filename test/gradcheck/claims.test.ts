import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { activation } from '../../src/engine/gates/activation.ts';
import { hinge } from '../../src/engine/gates/hinge.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { Graph } from '../../src/engine/graph.ts';
import { gateClaims, parameterClaims } from '../../src/gradcheck/claims.ts';
import { Random } from '../../src/random.ts';
import { float64Graph, normals } from '../support/graphs.ts';

const PASS = { training: true, key: 1 };

/** hinge(relu(X Wᵀ + b), labels) for five rows of four numbers and three classes. */
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

describe('parameterClaims', () => {
  it('claims what backpropagation says, and leaves the parameters as they were', async () => {
    const { graph, weight, loss } = example();
    const names: string[] = [];
    for await (const claim of parameterClaims(graph, loss, PASS)) {
      names.push(claim.wire.name);
      expect(claim.gradient.some((value) => value !== 0)).toBe(true);
      const { value } = await claim.evaluate(claim.point.map((w) => w + 0.5));
      expect(value).not.toBe((await claim.evaluate(claim.point)).value);
      await claim.evaluate(claim.point.map((w) => w + 0.5));
    }
    expect(names).toEqual(['weight', 'bias']);
    expect(await graph.backend.read(weight.tensor)).toEqual(normals(12, 'weight'));
  });

  it('says that the winners are others once a unit goes on or off, or a class comes within the margin', async () => {
    const { graph, loss } = example();
    for await (const { wire, point, evaluate } of parameterClaims(graph, loss, PASS)) {
      if (wire.name !== 'bias') continue;
      const { winners } = await evaluate(point);
      expect((await evaluate(point.map((b) => b + 1e-9))).winners).toBe(winners);
      expect((await evaluate(point.map((b) => b + 100))).winners, 'all units on').not.toBe(winners);
      const allOn = (await evaluate(Float64Array.of(100, 100, 100))).winners;
      expect((await evaluate(Float64Array.of(200, 100, 100))).winners, 'other margins').not.toBe(allOn);
    }
  });
});

describe('gateClaims', () => {
  it('covers every gradient of every gate, in the order of the tape', async () => {
    const { graph } = example();
    graph.forward(PASS);
    const found: string[] = [];
    for await (const { entry, input, gradient } of gateClaims(graph, PASS, new Random(1))) {
      found.push(`${entry.output.name} ${input} ${gradient.length}`);
    }
    expect(found).toEqual(['scores x 20', 'scores weight 12', 'scores bias 3', 'hidden x 15', 'hinge logits 15']);
  });
});

it('float32 is refused', async () => {
  const graph = new Graph(new ReferenceBackend('float32'), 1);
  const loss = graph.parameter('w', []);
  await expect(parameterClaims(graph, loss, PASS).next()).rejects.toThrow('float64, got float32');
  await expect(gateClaims(graph, PASS, new Random(1)).next()).rejects.toThrow('float64, got float32');
});
