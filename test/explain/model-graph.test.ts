import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { modelDiagram } from '../../src/explain/model-diagram.ts';
import { explainModel } from '../../src/explain/model-graph.ts';
import { buildModel, type ModelConfig } from '../../src/models/model.ts';
import { normals } from '../support/graphs.ts';

const MLP: ModelConfig = {
  model: 'mlp',
  hidden: 6,
  receptiveField: 32,
  receptiveStride: 1,
  mirror: false,
  activation: 'relu',
  dropout: 0,
  loss: 'hinge',
  labelSmoothing: 0,
};
const [B, D, H, C] = [4, 5, 6, 3];

/** A small network whose hidden units 1 and 4 are dead. */
function network() {
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, MLP, B, { inputs: D, classes: C });
  const values = {
    images: normals(B * D, 'images'),
    'fc1.weight': normals(H * D, 'fc1.weight'),
    'fc1.bias': normals(H, 'fc1.bias').map((value, unit) => (unit === 1 || unit === 4 ? -100 : value)),
    'fc2.weight': normals(C * H, 'fc2.weight'),
    'fc2.bias': normals(C, 'fc2.bias'),
  };
  for (const wire of [model.images, ...model.graph.parameters]) {
    backend.write(wire.tensor, values[wire.name as keyof typeof values]);
  }
  backend.write(model.labels.tensor, [2, 0, 1, 1]);
  return { model, values };
}

const meanAbs = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + Math.abs(value), 0) / values.length;

describe('explainModel', async () => {
  const { model, values } = network();
  const explanation = await explainModel(model, {
    key: 0,
    optimizerState: model.graph.parameters.map(({ tensor }) => tensor),
  });
  const wire = (name: string) => explanation.wires.find((candidate) => candidate.name === name)!;

  it('computes the same mean |value| of every wire as plain loops', () => {
    const scores = Array.from({ length: B * H }, (_, i) => {
      const [b, h] = [Math.floor(i / H), i % H];
      let sum = values['fc1.bias'][h];
      for (let d = 0; d < D; d++) sum += values.images[b * D + d] * values['fc1.weight'][h * D + d];
      return sum;
    });
    expect(wire('images').meanValue).toBeCloseTo(meanAbs(values.images), 12);
    expect(wire('fc1').meanValue).toBeCloseTo(meanAbs(scores), 12);
    expect(wire('hidden').meanValue).toBeCloseTo(meanAbs(scores.map((score) => Math.max(0, score))), 12);
    expect(wire('labels').meanValue).toBeNull();
    const active = scores.map((score) => score > 0);
    expect(explanation.hidden).toEqual({
      units: H,
      deadUnits: 2,
      zeroShare: active.filter((isActive) => !isActive).length / active.length,
    });
  });

  it('computes the mean |gradient| of wires that have one', async () => {
    const { graph, hidden } = model;
    expect(wire('images').meanGradient).toBeNull();
    expect(wire('hinge').meanGradient).toBe(1);
    expect(wire('hidden').meanGradient).toBeCloseTo(meanAbs(await graph.backend.read(hidden!.gradient)), 12);
    expect(wire('fc1.weight').meanGradient).toBeGreaterThan(0);
  });

  it('counts parameters, bytes and operations', () => {
    expect(explanation.parameters).toBe(H * D + H + C * H + C);
    expect(explanation.memory).toEqual({
      parameters: 8 * (H * D + H + C * H + C),
      optimizer: 8 * (H * D + H + C * H + C),
      // Images, labels; fc1, hidden, logits, loss.
      activations: 8 * B * D + B + 8 * (2 * B * H + B * C + 1),
      gradients: 8 * (2 * B * H + B * C + 1),
    });
    const [fc1, relu, fc2, hinge] = explanation.gates;
    expect([fc1.forward, fc1.backward]).toEqual([2 * B * D * H + B * H, 2 * B * D * H + B * H]);
    expect([relu.forward, relu.backward]).toEqual([B * H, B * H]);
    expect([fc2.forward, fc2.backward]).toEqual([2 * B * H * C + B * C, 4 * B * H * C + B * C]);
    expect([hinge.forward, hinge.backward]).toEqual([B * C, B * C]);
  });

  it('is drawn with every wire and its statistics', () => {
    const { nodes, wires } = modelDiagram(explanation, 'small');
    expect(nodes.filter(({ kind }) => kind === 'leaf').map(({ label }) => label)).toEqual([
      'images',
      'fc1.weight',
      'fc1.bias',
      'fc2.weight',
      'fc2.bias',
      'labels',
    ]);
    expect(nodes.find(({ id }) => id === 'hidden')?.details).toEqual(['2 of 6 units dead']);
    expect(wires).toContainEqual({
      from: 'images',
      to: 'fc1',
      key: 'images',
      value: ['[4, 5]', expect.any(String)],
      gradient: [],
    });
    expect(wires.at(-1)).toMatchObject({ from: 'hinge', to: 'end of hinge', gradient: ['1'] });
  });
});

describe('explainModel with receptive fields and thresholds', async () => {
  const [B, F, P, K, T] = [4, 3, 9, 768, 4];
  const backend = new ReferenceBackend('float32', 'int16');
  const model = buildModel(
    backend,
    { ...MLP, hidden: F, receptiveField: 16, receptiveStride: 8, activation: 'multi-bias', loss: 'softmax' },
    B,
  );
  const [weight, bias] = model.graph.parameters;
  backend.write(
    model.images.tensor,
    Float32Array.from({ length: B * 3072 }, (_, i) => ((i * 7) % 256) / 64 - 2),
  );
  backend.write(weight.tensor, normals(P * F * K, 'weight'));
  // The third unit of every filter, and no other one of its units, is dead.
  backend.write(
    bias.tensor,
    Float32Array.from({ length: T * P * F }, (_, i) => (Math.floor(i / (P * F)) === 2 ? -1e6 : 1e6)),
  );
  const { gates, wires, hidden, memory } = await explainModel(model, { key: 0, optimizerState: [] });

  it('counts each pair of a field and its weights as one product, and a copy as nothing', () => {
    const [fields, fc1, multiBias] = gates;
    expect(fields).toMatchObject({ gate: 'receptive fields', forward: 0, backward: 0 });
    const product = P * 2 * B * F * K;
    expect(fc1).toMatchObject({ gate: 'local linear', forward: product, backward: product });
    // Both gradients of multi-bias pass over all units.
    expect(multiBias).toMatchObject({ forward: B * T * P * F, backward: 2 * B * T * P * F });
  });

  it('counts pixels as bytes in int16, and units, not filters', () => {
    const bytes = (name: string) => wires.find((wire) => wire.name === name)!.bytes;
    expect([bytes('images'), bytes('fields')]).toEqual([B * 3072, B * P * K]);
    expect(memory.activations).toBe(B * 3072 + B * P * K + 4 * B * (P * F + T * P * F + 10) + B + 4);
    expect(hidden).toEqual({ units: T * P * F, deadUnits: P * F, zeroShare: 1 / T });
  });
});
