import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { add } from '../../src/engine/gates/add.ts';
import { l2Penalty } from '../../src/engine/gates/losses/l2-penalty.ts';
import type { Wire } from '../../src/engine/wire.ts';
import { IMAGE_BYTES } from '../../src/images.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel, type Model, type ModelConfig } from '../../src/models/model.ts';
import { Random } from '../../src/random.ts';
import { plainBatch, rows } from '../../src/training/batches.ts';
import { loadBatch } from '../../src/training/evaluate.ts';
import { checkEveryCoordinate } from '../support/every-coordinate.ts';
import { ACTIVATIONS } from '../support/graphs.ts';

const MLP: ModelConfig = {
  model: 'mlp',
  hidden: 10,
  receptiveField: 32,
  receptiveStride: 1,
  mirror: false,
  activation: 'relu',
  dropout: 0,
  loss: 'softmax',
  labelSmoothing: 0,
};
const LINEAR: ModelConfig = { ...MLP, model: 'linear' };

/** The small network whose scores, loss and gradients are published in CS231n's first assignment. */
const PUBLISHED = JSON.parse(readFileSync(new URL('../fixtures/cs231n-two-layer.json', import.meta.url), 'utf8'));

/** In the course a weight W is [in, out]; here it is [out, in]. */
function transposed(matrix: number[][]): number[] {
  return matrix[0].flatMap((_, j) => matrix.map((row) => row[j]));
}

describe("the two-layer network of CS231n's first assignment", () => {
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, MLP, 5, { inputs: 4, classes: 3 });
  const [weight1, , weight2] = model.graph.parameters;
  backend.write(model.images.tensor, PUBLISHED.X.flat());
  backend.write(model.labels.tensor, PUBLISHED.y);
  backend.write(weight1.tensor, transposed(PUBLISHED.W1));
  backend.write(weight2.tensor, transposed(PUBLISHED.W2));

  const close = (values: number[]) => values.map((value) => expect.closeTo(value, 10));
  const read = async (wire: Wire) => Array.from(await backend.read(wire.tensor));

  it('has the published scores and data loss', async () => {
    model.graph.forward();
    expect(await read(model.logits)).toEqual(close(PUBLISHED.scores.flat()));
    expect(await read(model.loss)).toEqual(close([PUBLISHED.data_loss]));
  });

  it('has the published gradients', async () => {
    model.graph.forward();
    model.graph.backward(model.loss);
    const { W1, b1, W2, b2 } = PUBLISHED.grads_data_only;
    const published = [transposed(W1), b1, transposed(W2), b2];
    for (const [i, wire] of model.graph.parameters.entries()) {
      expect(Array.from(await backend.read(wire.gradient)), wire.name).toEqual(close(published[i]));
    }
  });

  it('has the published regularised loss, whose gradients add λW', async () => {
    const { graph } = model;
    const penalty = graph.apply(add, {
      a: graph.apply(l2Penalty(0.1), { weight: weight1 }),
      b: graph.apply(l2Penalty(0.1), { weight: weight2 }),
    });
    const loss = graph.apply(add, { a: model.loss, b: penalty });
    graph.forward();
    graph.backward(loss);
    expect(await read(loss)).toEqual(close([PUBLISHED.loss_reg_01_half]));
    const decay = transposed(PUBLISHED.W1).map((w) => 0.1 * w);
    expect(Array.from(await backend.read(weight1.gradient))).toEqual(
      close(transposed(PUBLISHED.grads_data_only.W1).map((g, i) => g + decay[i])),
    );
  });
});

describe('gradients of whole models agree with central differences', () => {
  const cases: ModelConfig[] = [
    LINEAR,
    { ...LINEAR, loss: 'hinge' },
    ...ACTIVATIONS.map((activation) => ({ ...MLP, activation, labelSmoothing: 0.1 })),
    { ...MLP, dropout: 0.3, loss: 'hinge' },
  ];
  const FIELDS: ModelConfig = { ...MLP, hidden: 2, receptiveField: 4, receptiveStride: 28 };
  const local: ModelConfig[] = [
    FIELDS,
    { ...FIELDS, activation: 'multi-bias' },
    { ...FIELDS, activation: 'crelu', mirror: true },
  ];
  it.each([...cases.map((config) => [config, 7] as const), ...local.map((config) => [config, IMAGE_BYTES] as const)])(
    '$model, $activation, $loss, dropout $dropout',
    async (config, inputs) => {
      const backend = new ReferenceBackend('float64');
      const model = buildModel(backend, config, 6, { inputs, classes: 4 });
      const random = new Random(2, 'gradients');
      const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
      backend.write(model.images.tensor, normals(6 * inputs));
      backend.write(model.labels.tensor, [0, 1, 2, 3, 0, 1]);
      for (const { tensor, shape } of model.graph.parameters) backend.write(tensor, normals(sizeOf(shape)));
      for (const check of await checkEveryCoordinate(model.graph, model.loss)) {
        expect(check.relativeError, check.parameter).toBeLessThan(1e-6);
      }
    },
  );
});

describe('a new model', () => {
  const { train } = syntheticDataset({ trainCount: 256, testCount: 10 });

  async function initialLoss(config: ModelConfig, init: 'he' | 'xavier'): Promise<number> {
    const backend = new ReferenceBackend();
    const model = buildModel(backend, config, 256);
    initialise(model, { init, initStd: 0.01, seed: 0 });
    loadBatch(model, train, plainBatch(rows(256)));
    model.graph.forward();
    return (await backend.read(model.loss.tensor))[0];
  }

  it.each(['he', 'xavier'] as const)('starts at the loss of a random guess with %s initialisation', async (init) => {
    for (const config of [LINEAR, { ...MLP, hidden: 100 }]) {
      expect(Math.abs((await initialLoss(config, init)) - Math.log(10)), `${config.model} softmax`).toBeLessThan(0.05);
      expect(
        Math.abs((await initialLoss({ ...config, loss: 'hinge' }, init)) - 9),
        `${config.model} hinge`,
      ).toBeLessThan(0.5);
    }
  });

  it('has the documented parameters', () => {
    const shapes = (config: ModelConfig) =>
      buildModel(new ReferenceBackend(), config, 1).graph.parameters.map(({ name, shape }) => [name, shape]);
    expect(shapes(LINEAR)).toEqual([
      ['linear.weight', [10, 3072]],
      ['linear.bias', [10]],
    ]);
    expect(shapes({ ...MLP, hidden: 17 })).toEqual([
      ['fc1.weight', [17, 3072]],
      ['fc1.bias', [17]],
      ['fc2.weight', [10, 17]],
      ['fc2.bias', [10]],
    ]);
    const fields: ModelConfig = { ...MLP, hidden: 5, receptiveField: 16, receptiveStride: 8, mirror: true };
    expect(shapes({ ...fields, activation: 'multi-bias' })).toEqual([
      ['fc1.weight', [9 * 5, 768]],
      ['fc1.bias', [4 * 9 * 5]],
      ['fc2.weight', [10, 4 * 9 * 5]],
      ['fc2.bias', [10]],
    ]);
    expect(shapes({ ...fields, activation: 'tanh' })[1]).toEqual(['fc1.bias', [9 * 5]]);
  });

  it.each([
    ['dense', { ...MLP }],
    ['fields', { ...MLP, receptiveField: 16, receptiveStride: 8, activation: 'multi-bias' }],
  ] as [string, ModelConfig][])('with mirror adds the logits of the mirror image: %s', async (_, config) => {
    const backend = new ReferenceBackend('float64');
    const B = 4;
    const logits = async (mirror: boolean, flip: number) => {
      const model = buildModel(backend, { ...config, mirror }, B);
      initialise(model, { init: 'he', initStd: 0, seed: 3 });
      loadBatch(model, train, { ...plainBatch(rows(B)), flip: new Uint8Array(B).fill(flip) });
      model.graph.forward();
      return backend.read(model.logits.tensor);
    };
    const [image, mirrored] = [await logits(false, 0), await logits(false, 1)];
    const close = Array.from(image, (value, i) => expect.closeTo(value + mirrored[i], 12));
    expect(Array.from(await logits(true, 0))).toEqual(close);
    expect(Array.from(await logits(true, 1))).toEqual(close);
  });
});

describe('initialise', () => {
  async function standardDeviations(init: 'he' | 'xavier' | 'normal'): Promise<number[]> {
    const model = build({ ...MLP, hidden: 200 });
    initialise(model, { init, initStd: 0.03, seed: 5 });
    const values = await Promise.all(model.graph.parameters.map(({ tensor }) => model.graph.backend.read(tensor)));
    return values.map((all) => {
      let squares = 0;
      for (const value of all) squares += value * value;
      return Math.sqrt(squares / all.length);
    });
  }

  function build(config: ModelConfig): Model {
    return buildModel(new ReferenceBackend(), config, 1);
  }

  it.each([
    ['he', Math.sqrt(2 / 3072), 0.1 * Math.sqrt(2 / 200)],
    ['xavier', Math.sqrt(2 / 3272), 0.1 * Math.sqrt(2 / 210)],
    ['normal', 0.03, 0.03],
  ] as const)(
    '%s draws weights with the standard deviation of its formula and sets biases to 0',
    async (init, first, second) => {
      const [weight1, bias1, weight2, bias2] = await standardDeviations(init);
      // Standard errors: 0.1 % of 614,400 draws, 1.6 % of 2,000.
      expect(weight1 / first).toBeCloseTo(1, 2);
      expect(Math.abs(weight2 / second - 1)).toBeLessThan(0.08);
      expect([bias1, bias2]).toEqual([0, 0]);
    },
  );

  it('draws each layer from its own stream', async () => {
    const model = build({ ...MLP, hidden: 3072 });
    initialise(model, { init: 'normal', initStd: 1, seed: 0 });
    const [weight1, , weight2] = model.graph.parameters;
    const [first, second] = [
      await model.graph.backend.read(weight1.tensor),
      await model.graph.backend.read(weight2.tensor),
    ];
    expect(second.subarray(0, 100)).not.toEqual(first.subarray(0, 100));
  });

  it('gives a layer the same weights in another model, and different weights for another seed', async () => {
    const weights = async (config: ModelConfig, seed: number) => {
      const model = build(config);
      initialise(model, { init: 'normal', initStd: 1, seed });
      return model.graph.backend.read(model.graph.parameters[0].tensor);
    };
    const small = await weights({ ...MLP, hidden: 2 }, 0);
    expect((await weights({ ...MLP, hidden: 5 }, 0)).subarray(0, small.length)).toEqual(small);
    expect(await weights({ ...MLP, hidden: 2 }, 1)).not.toEqual(small);
  });
});
