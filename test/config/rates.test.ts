import { describe, expect, it } from 'vitest';
import { createBackend } from '../../src/backends/select.ts';
import type { Config } from '../../src/config/config.ts';
import { effectiveConfig, resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { splitTrainingSet } from '../../src/training/batches.ts';
import { Trainer } from '../../src/training/trainer.ts';

/** Enough to fall below chance; small batches take longer. */
const stepsFor = (batchSize: number) => (batchSize < 64 ? 100 : 20);
const { train: IMAGES } = syntheticDataset({ trainCount: 2048, testCount: 10 });
const backend = await createBackend({ backend: 'wasm', precision: 'int16', threads: 1 });

/** The mean training loss of the last third of a short training. */
async function lossAfter(given: Partial<Config>): Promise<number> {
  const { batchSize = 256 } = given;
  const trainLimit = Math.min(IMAGES.labels.length, batchSize * stepsFor(batchSize));
  const perEpoch = Math.ceil(trainLimit / batchSize);
  const config = resolveConfig({ val: 0, trainLimit, epochs: Math.ceil(stepsFor(batchSize) / perEpoch), ...given });
  const model = buildModel(backend, config, config.batchSize);
  initialise(model, config);
  const split = splitTrainingSet(IMAGES.labels.length, config.val, config.trainLimit);
  const losses: number[] = [];
  for await (const event of new Trainer(model, IMAGES, split, config).run()) {
    if (event.type === 'step') losses.push(event.loss);
  }
  const last = losses.slice(-Math.ceil(losses.length / 3));
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

const LAYERS: [name: string, Partial<Config>][] = [
  ['linear', {}],
  ['16 dense units', { model: 'mlp', recipe: 'plain', hidden: 16 }],
  ['4 filters a field', { model: 'mlp', recipe: 'fast', hidden: 4 }],
  ['24 filters a field', { model: 'mlp', recipe: 'fast' }],
];

describe.each(LAYERS)('the default rates for %s', (_, layer) => {
  describe.each(['sgd', 'adamw', 'muon'] as const)('%s', (optimizer) => {
    it.each(['softmax', 'hinge'] as const)('%s: the loss falls, for batches of 16 and of 256', async (loss) => {
      const chance = loss === 'softmax' ? Math.log(10) : 9;
      for (const batchSize of [16, 256]) {
        const given = effectiveConfig({ ...layer, optimizer, loss, batchSize });
        expect(await lossAfter(given), `batches of ${batchSize}`).toBeLessThan(chance);
      }
    });
  });
});

it('trains 100 dense units on batches of 32, at which a rate of 0.05 diverges or learns nothing', async () => {
  const small = { model: 'mlp', recipe: 'plain', hidden: 100, batchSize: 32 } as const;
  expect(await lossAfter(small)).toBeLessThan(2);
});

it('keeps the rates of the recipes as they are', () => {
  const rates = (given: Partial<Config>) => {
    const { lr, headLr } = resolveConfig(given);
    return [lr, headLr];
  };
  expect(rates({ model: 'mlp', recipe: 'plain' })[0]).toBe(0.05);
  expect(rates({ model: 'mlp', recipe: 'plain', loss: 'hinge' })[0]).toBe(0.01);
  expect(rates({ model: 'mlp', recipe: 'plain', optimizer: 'adamw' })[0]).toBe(0.001);
  expect(rates({ model: 'mlp' })).toEqual([0.021, 0.049]);
  expect(rates({ model: 'mlp', recipe: 'best' })).toEqual([0.02, 0.05]);
  // By the formulas of docs/accuracy.md: 4,096 units and batches of 16.
  expect(rates({ model: 'mlp', recipe: 'plain', hidden: 4096, batchSize: 16 })[0]).toBe(0.0022);
  expect(rates({ optimizer: 'adamw' })[0]).toBe(0.0006);
  expect(rates({ optimizer: 'adamw', recipe: 'plain' })[0]).toBe(0.0003);
});
