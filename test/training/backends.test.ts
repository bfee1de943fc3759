import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { createBackend } from '../../src/backends/select.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { splitTrainingSet } from '../../src/training/batches.ts';
import { Trainer } from '../../src/training/trainer.ts';

const { train: IMAGES } = syntheticDataset({ trainCount: 220, testCount: 10 });

/** The losses of 20 steps, and the weights after them. */
async function trained(backend: Backend, config: Config) {
  const model = buildModel(backend, config, config.batchSize);
  initialise(model, config);
  const trainer = new Trainer(model, IMAGES, splitTrainingSet(IMAGES.labels.length, config.val, null), config);
  const losses: number[] = [];
  for await (const event of trainer.run()) if (event.type === 'step') losses.push(event.loss);
  const { tensors } = await trainer.checkpoint();
  backend.close();
  return { losses, tensors };
}

describe.each(['float32', 'int16', 'int8'] as const)(
  'training in %s on the wasm backend and on the reference',
  (precision) => {
    const common: Partial<Config> = { model: 'mlp', recipe: 'plain', epochs: 5, batchSize: 47, val: 40, precision };
    const local: Partial<Config> = {
      optimizer: 'muon',
      lr: 0.02,
      headLr: 0.05,
      weightDecay: 5e-4,
      activation: 'multi-bias',
    };
    // The largest relative error of the weights. A number that is rounded to another of 65,535 integers is 1.5e-5 of the largest
    // off, and Muon raises the smallest singular values: those of small fields, whose pixels are alike, are lost in rounding.
    it.each<[string, Partial<Config>, Record<typeof precision, number>]>([
      ['dense, relu, sgd', { hidden: 19, lr: 0.05 }, { float32: 1e-5, int16: 5e-5, int8: 1e-3 }],
      [
        'receptive fields, multi-bias, muon, mirror',
        { ...local, mirror: true, hidden: 5, receptiveField: 16, receptiveStride: 8 },
        { float32: 1e-5, int16: 5e-3, int8: 1e-3 },
      ],
      [
        'more filters than pixels in a field',
        { ...local, hidden: 50, receptiveField: 4, receptiveStride: 28 },
        { float32: 1e-2, int16: 3e-2, int8: 3e-1 },
      ],
    ])('agrees: %s', async (_, change, tolerance) => {
      const config = resolveConfig({ ...common, ...change });
      const wasm = await trained(await createBackend({ backend: 'wasm', precision, threads: 2 }), config);
      const reference = await trained(new ReferenceBackend('float32', precision), config);
      expect(reference.losses).toHaveLength(20);
      expect(reference.losses.at(-1)).toBeLessThan(0.9 * reference.losses[0]);
      for (const [step, loss] of wasm.losses.entries()) {
        expect(Math.abs(loss / reference.losses[step] - 1), `loss of step ${step}`).toBeLessThan(
          precision === 'int8' ? 1e-3 : 1e-5,
        );
      }
      for (const [name, { values }] of reference.tensors) {
        const got = wasm.tensors.get(name)!.values;
        const norm = (of: (i: number) => number) => Math.sqrt(values.reduce((sum, _, i) => sum + of(i) ** 2, 0));
        const error = norm((i) => got[i] - values[i]) / norm((i) => values[i]);
        expect(error, name).toBeLessThan(tolerance[precision]);
      }
    });
  },
);
