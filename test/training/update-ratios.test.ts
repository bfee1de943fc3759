import { describe, expect, it, onTestFinished } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { createBackend } from '../../src/backends/select.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { Random } from '../../src/random.ts';
import { splitTrainingSet } from '../../src/training/batches.ts';
import type { Checkpoint } from '../../src/training/progress.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { samplingInterval, UpdateRatioMeter } from '../../src/training/update-ratios.ts';

const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));

/** ‖after − before‖/‖before‖ in float64. */
function ratioOf(before: ArrayLike<number>, after: ArrayLike<number>): number {
  return norm(Array.from(after, (value, i) => value - before[i])) / norm(Array.from(before));
}

describe('UpdateRatioMeter', () => {
  it.each(['reference', 'wasm'] as const)('measures every weight matrix without changing it (%s)', async (name) => {
    const backend = await createBackend({ backend: name });
    onTestFinished(() => backend.close());
    const config = resolveConfig({ recipe: 'plain', model: 'mlp', hidden: 37 });
    const model = buildModel(backend, config, 4);
    initialise(model, config);
    const { graph } = model;
    const meter = new UpdateRatioMeter(graph);
    const random = new Random(1, 'updates');
    // Twice, as the second measurement must not depend on the first.
    for (const size of [1e-3, 0.5]) {
      const weights = graph.parameters.filter((wire) => wire.name.endsWith('weight'));
      const before = await Promise.all(weights.map(({ tensor }) => backend.read(tensor)));
      await meter.begin();
      const after = before.map((values) => values.map((value) => value + size * (random.uniform() - 0.5)));
      for (const [i, { tensor }] of weights.entries()) backend.write(tensor, after[i]);
      const ratios = await meter.end();
      expect(Object.keys(ratios)).toEqual(['fc1.weight', 'fc2.weight']);
      for (const [i, { name, tensor }] of weights.entries()) {
        expect(ratios[name] / ratioOf(before[i], after[i])).toBeCloseTo(1, 4);
        expect(await backend.read(tensor)).toEqual(after[i]);
      }
    }
  });
});

describe('the sampling interval of update ratios', () => {
  it.each([
    [1760, 256, 30],
    [17600, 256, 294],
    [176, 256, 20],
    [20, 1, 5000],
  ])('in a run of %i steps with batches of %i images is %i steps', (steps, batchSize, interval) => {
    expect(samplingInterval(steps, batchSize)).toBe(interval);
  });

  it('selects steps by their number alone, and the ratios are those of that step', async () => {
    const { train: images } = syntheticDataset({ trainCount: 100, testCount: 10 });
    const config = resolveConfig({ recipe: 'plain', model: 'mlp', hidden: 3, batchSize: 100, val: 0, epochs: 51 });
    const model = buildModel(new ReferenceBackend(), config, config.batchSize);
    initialise(model, config);
    const trainer = new Trainer(model, images, splitTrainingSet(100, 0, null), config);
    let before: Checkpoint | undefined;
    for await (const event of trainer.run()) {
      if (event.type === 'epoch-ended') continue;
      const { step } = event.progress;
      expect(event.updateRatios === null, `step ${step}`).toBe(step !== 50);
      if (step === 49) before = await trainer.checkpoint();
      if (step !== 50) continue;
      const { tensors } = await trainer.checkpoint();
      const names = ['fc1.weight', 'fc2.weight'];
      expect(Object.keys(event.updateRatios!)).toEqual(names);
      for (const name of names) {
        const expected = ratioOf(before!.tensors.get(name)!.values, tensors.get(name)!.values);
        expect(event.updateRatios![name] / expected, name).toBeCloseTo(1, 4);
      }
    }
    expect(before).toBeDefined();
  });
});
