import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { DivergedError, UserError } from '../../src/errors.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { adamw } from '../../src/optim/adamw.ts';
import { learningRateAt } from '../../src/optim/schedule.ts';
import { Updater } from '../../src/optim/updater.ts';
import { Random } from '../../src/random.ts';
import { augmentedBatch, shuffled, splitTrainingSet } from '../../src/training/batches.ts';
import { evaluate, loadBatch } from '../../src/training/evaluate.ts';
import type { Checkpoint, EpochMetrics } from '../../src/training/progress.ts';
import { Trainer } from '../../src/training/trainer.ts';

const { train: IMAGES } = syntheticDataset({ trainCount: 150, testCount: 10 });

/** Enables every option that draws random numbers or keeps state; 110 images in batches of 32 leave a last one of 14. */
const EVERYTHING = resolveConfig({
  recipe: 'plain',
  model: 'mlp',
  hidden: 7,
  dropout: 0.2,
  labelSmoothing: 0.1,
  epochs: 3,
  batchSize: 32,
  lr: 0.05,
  val: 40,
  shift: 3,
  flip: true,
});

function makeTrainer(config: Config): Trainer {
  const model = buildModel(new ReferenceBackend(), config, config.batchSize);
  initialise(model, config);
  return new Trainer(model, IMAGES, splitTrainingSet(IMAGES.labels.length, config.val, config.trainLimit), config);
}

/** Runs to the end, or up to the given number of events. */
async function run(trainer: Trainer, events = Infinity): Promise<EpochMetrics[]> {
  const epochs: EpochMetrics[] = [];
  let seen = 0;
  for await (const event of trainer.run()) {
    if (event.type === 'epoch-ended') epochs.push(event.metrics);
    if (++seen >= events) break;
  }
  return epochs;
}

/** The metrics that must be the same in two equal runs: all except the times. */
function withoutTimes({ epoch, step, train, validation, learningRate }: EpochMetrics) {
  return { epoch, step, train, validation, learningRate };
}

describe('Trainer', () => {
  it('gives the same bits for the same seed, and different ones for a different seed', async () => {
    const finish = async (config: Config) => {
      const trainer = makeTrainer(config);
      await run(trainer);
      return (await trainer.checkpoint()).tensors;
    };
    const once = await finish(EVERYTHING);
    expect(await finish(EVERYTHING)).toEqual(once);
    expect(await finish({ ...EVERYTHING, seed: 1 })).not.toEqual(once);
    for (const change of [{ flip: false }, { shift: 0 }, { dropout: 0 }, { labelSmoothing: 0 }, { weightDecay: 0 }]) {
      expect(await finish({ ...EVERYTHING, ...change }), JSON.stringify(change)).not.toEqual(once);
    }
  });

  it.each([
    [{}, 'e17cd97d5f180a3fd592940e43600bbcbcbce7782327dd1d82a09e5bf55238b6'],
    [
      { optimizer: 'adamw', lr: 0.01, activation: 'tanh' },
      '47a3d9ede1f6a7e26bd3a0028cd565b9c7f3971c489d9cc7975b2495915ef5d9',
    ],
  ] as const)('gives the pinned bits on every version of Node (%o)', async (change, sha256) => {
    const trainer = makeTrainer(resolveConfig({ ...EVERYTHING, ...change }));
    await run(trainer);
    const hash = createHash('sha256');
    for (const { values } of (await trainer.checkpoint()).tensors.values()) hash.update(values);
    expect(hash.digest('hex')).toBe(sha256);
  });

  it.each([
    { optimizer: 'sgd' },
    { optimizer: 'adamw' },
    { optimizer: 'muon', receptiveField: 16, receptiveStride: 16, activation: 'multi-bias' },
  ] as const)('resumes from any checkpoint with the same bits (%o)', async (change) => {
    const config = resolveConfig({ ...EVERYTHING, ...change, lr: 0.01 });
    const whole = makeTrainer(config);
    const epochs = (await run(whole)).map(withoutTimes);
    const { tensors } = await whole.checkpoint();
    // Each epoch has 5 events: 4 steps and its end.
    for (const events of [1, 3, 4, 5, 6, 9, 10, 14]) {
      const first = makeTrainer(config);
      const before = await run(first, events);
      const saved: Checkpoint = structuredClone(await first.checkpoint());
      const second = makeTrainer(config);
      second.restore({ ...saved, progress: JSON.parse(JSON.stringify(saved.progress)) });
      const after = await run(second);
      expect([...before, ...after].map(withoutTimes), `stopped after ${events} events`).toEqual(epochs);
      expect((await second.checkpoint()).tensors).toEqual(tensors);
    }
  });

  it('trains on every image once per epoch', async () => {
    const trainer = makeTrainer(EVERYTHING);
    expect(trainer.stepsPerEpoch).toBe(4);
    const images: number[] = [];
    for await (const event of trainer.run()) if (event.type === 'step') images.push(event.progress.epochImages);
    expect(images).toEqual([32, 64, 96, 110, 32, 64, 96, 110, 32, 64, 96, 110]);
    expect(trainer.progress.step).toBe(12);
    expect(trainer.progress.trainedImages).toBe(330);
  });

  it('reports the means over the steps and over the validation images of each epoch', async () => {
    const config = { ...EVERYTHING, epochs: 2 };
    const trainer = makeTrainer(config);
    let [images, loss] = [0, 0];
    const rates: number[] = [];
    for await (const event of trainer.run()) {
      if (event.type === 'step') {
        loss += event.loss * (event.progress.epochImages - images);
        images = event.progress.epochImages;
        rates.push(event.learningRate);
        continue;
      }
      const { metrics } = event;
      expect(metrics.train.loss).toBeCloseTo(loss / 110, 12);
      expect(metrics.train.accuracy * 110).toBeCloseTo(Math.round(metrics.train.accuracy * 110), 9);
      expect(metrics.learningRate).toBe(rates.at(-1));
      // Evaluate the validation images in a separate model with these weights, without dropout or label smoothing.
      const model = buildModel(new ReferenceBackend(), { ...config, dropout: 0, labelSmoothing: 0 }, 7);
      const { tensors } = await trainer.checkpoint();
      for (const { name, tensor } of model.graph.parameters)
        model.graph.backend.write(tensor, tensors.get(name)!.values);
      const { validation } = splitTrainingSet(IMAGES.labels.length, config.val, null);
      const expected = await evaluate(model, IMAGES, validation);
      expect(metrics.validation!.loss).toBeCloseTo(expected.loss, 6);
      expect(metrics.validation!.accuracy).toBe(expected.accuracy);
      [images, loss] = [0, 0];
    }
    expect(rates).toEqual(Array.from({ length: 8 }, (_, step) => learningRateAt(step, 8, config)));
  });

  it('gives the same bits as a plain loop over the batches', async () => {
    const config = resolveConfig({ ...EVERYTHING, epochs: 2, optimizer: 'adamw', lr: 0.01, weightDecay: 0.3 });
    const trainer = makeTrainer(config);
    await run(trainer);
    const { tensors } = await trainer.checkpoint();

    const model = buildModel(new ReferenceBackend(), config, config.batchSize);
    initialise(model, config);
    const { graph } = model;
    const updater = new Updater(adamw.create(config), graph.backend, graph.parameters);
    const { train } = splitTrainingSet(IMAGES.labels.length, config.val, null);
    for (let step = 0; step < 8; step++) {
      const order = shuffled(train, config.seed, 1 + Math.floor(step / 4));
      const batch = order.subarray(32 * (step % 4), 32 * (step % 4) + 32);
      loadBatch(model, IMAGES, augmentedBatch(batch, { flip: true, shift: 3, seed: config.seed, step }));
      graph.forward({ training: true, key: new Random(config.seed, 'dropout', step).uint32() });
      graph.backward(model.loss);
      const sinks = updater.begin(step + 1, learningRateAt(step, 8, config));
      for (const [wire, sink] of sinks) graph.backend.deliver(wire.gradient, sink);
    }
    for (const { name, tensor } of graph.parameters) {
      expect(tensors.get(name)!.values, name).toEqual(await graph.backend.read(tensor));
    }
  });

  it('overfits 20 images to a loss below 0.01', async () => {
    const trainer = makeTrainer(
      resolveConfig({
        recipe: 'plain',
        model: 'mlp',
        hidden: 50,
        epochs: 120,
        batchSize: 20,
        trainLimit: 20,
        val: 0,
        labelSmoothing: 0,
        flip: false,
        shift: 0,
        weightDecay: 0,
      }),
    );
    const epochs = await run(trainer);
    expect(epochs[0].train.loss).toBeGreaterThan(2);
    expect(epochs.at(-1)!.train.loss).toBeLessThan(0.01);
    expect(epochs.at(-1)!.train.accuracy).toBe(1);
    expect(epochs.at(-1)!.validation).toBeNull();
  });

  it('keeps the best epoch, and stops early when no later epoch is better', async () => {
    // A learning rate so high that later epochs are worse than the first ones.
    const trainer = makeTrainer(
      resolveConfig({ ...EVERYTHING, epochs: 50, earlyStop: 3, lr: 0.02, schedule: 'constant' }),
    );
    const epochs = await run(trainer);
    const accuracies = epochs.map(({ validation }) => validation!.accuracy);
    const best = trainer.progress.best!;
    const { validation } = epochs
      .toSorted((a, b) => b.validation!.accuracy - a.validation!.accuracy || a.validation!.loss - b.validation!.loss)
      .at(0)!;
    expect(best.validation).toEqual(validation);
    expect(best.validation!.accuracy).toBe(Math.max(...accuracies));
    expect(epochs.length).toBeLessThan(50);
    expect(epochs.length).toBe(best.epoch + 3);
    expect(trainer.isDone).toBe(true);
    expect(await run(trainer)).toEqual([]);
  });

  it('stops at the first step whose loss is NaN or infinite, before its update', async () => {
    const trainer = makeTrainer(resolveConfig({ model: 'linear', lr: 1e6, epochs: 50, batchSize: 32, val: 40 }));
    let error: unknown;
    let last = 0;
    try {
      for await (const event of trainer.run()) if (event.type === 'step') last = event.progress.step;
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DivergedError);
    expect((error as Error).message).toMatch(
      new RegExp(`the loss is (NaN|Infinity) at step ${last + 1} \\(epoch \\d+\\)`),
    );
    expect(trainer.progress.step).toBe(last);
  });

  it('refuses a checkpoint of a different configuration', async () => {
    const saved = await makeTrainer(EVERYTHING).checkpoint();
    const wider = makeTrainer({ ...EVERYTHING, hidden: 8 });
    expect(() => wider.restore(saved)).toThrow(UserError);
    expect(() => wider.restore(saved)).toThrow("'fc1.weight' has shape [7, 3072], wanted [8, 3072]");
    expect(() => makeTrainer(resolveConfig({ val: 40 })).restore(saved)).toThrow(
      "no tensor 'linear.weight' [10, 3072]",
    );
  });
});
