import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Backend, Precision } from '../../src/backends/backend.ts';
import { createBackend } from '../../src/backends/select.ts';
import type { Config } from '../../src/config/config.ts';
import { effectiveConfig, resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { splitTrainingSet } from '../../src/training/batches.ts';
import { Trainer } from '../../src/training/trainer.ts';

const { train: IMAGES } = syntheticDataset({ trainCount: 260, testCount: 10 });

/** Enables every option that draws random numbers or keeps state; 52 steps, with remainders in every dimension. */
const EVERYTHING: Partial<Config> = {
  recipe: 'plain',
  model: 'mlp',
  hidden: 67,
  dropout: 0.2,
  labelSmoothing: 0.1,
  epochs: 13,
  batchSize: 67,
  val: 40,
  shift: 3,
  flip: true,
};

const LOCAL: Partial<Config> = { optimizer: 'muon', lr: 0.02, headLr: 0.05, weightDecay: 0.1, schedule: 'linear' };

const CASES: [name: string, change: Partial<Config>, hashes: Record<Precision, string>][] = [
  [
    'sgd',
    { lr: 0.05 },
    {
      int16: '6b358784a7e5b067e291c8024dda8d23376aed3a09ffedaf1ef4846a0ec86f5c',
      int8: 'ab30ab72087424ae01e56082b48e5b1d59cdf9ce935632a561f14c057d83617b',
      float32: 'f2ebb1a64af60d027c1e2cd65a6e4aab0466675807c51fb528976f9ce9b158ed',
    },
  ],
  [
    'adamw',
    { optimizer: 'adamw', lr: 0.01, activation: 'tanh', loss: 'hinge' },
    {
      int16: '9872b3277bb123df23bb7aa2797584d95247cb3d4beae6de0d9b0fbb89c5f9b7',
      int8: '22f2f2bc70da022c816043196eb032d4cd3a51390b64cd784114ee2b12381597',
      float32: '8aa6da630c1db84fee337b4aec3df73105dcb7b88a23bf7ccf8d5a355bd18968',
    },
  ],
  [
    'linear',
    { model: 'linear', batchSize: 50, lr: 0.003 },
    {
      int16: '331cb7323b56b5690fb72437770e026ad3c2baf31e6210a94e5dccd18a25c111',
      int8: 'bc6941b60bc22c3f228ae064586a901090044769718cfab9044bc62474638a1b',
      float32: '3428247ef9b78158799978cc06ea9c2a143881dc06a37ff43826aff4c95e9d14',
    },
  ],
  [
    'muon, multi-bias, receptive fields',
    { ...LOCAL, hidden: 21, receptiveField: 16, receptiveStride: 8, activation: 'multi-bias' },
    {
      int16: '56ce7528bed849f44fd0bb8c6559a760f6fa533d62e77b9167b20b806a93bbc9',
      int8: '6fbf7cd7d54c45d5ce8b82e6531fc1fc3ff89930d08eff50052043d059b25ac4',
      float32: '3f41c404e1e7e0a9bdb70fc14c8a267f69ae33a59d4436d2912adebf3413d011',
    },
  ],
  [
    'muon, multi-bias, units that no kernel stores',
    { ...LOCAL, hidden: 20, receptiveField: 16, receptiveStride: 8, activation: 'multi-bias', dropout: 0 },
    {
      int16: '847ca97ef6e7a9819c455a76e48b23a27fb9b6826db8eb8b681025388d8a619c',
      int8: '111526b6dccf1492f32e68ac33f89dfaadaea9dcfdb4c4163e2094033659e703',
      float32: '80f5367f5f51eea5968d4ec21931a1b14a3bd5953976d4dc4f3ef58f8ae1829f',
    },
  ],
  [
    'muon, crelu, mirror, more filters than pixels in a field',
    { ...LOCAL, receptiveField: 4, receptiveStride: 28, activation: 'crelu', mirror: true },
    {
      int16: '233bdebbba975313229cfd637f5f78fb98cae2063f8b5b09c8c5241d1d237482',
      int8: '0df09152df2e6a25a9c0b33db23917baa9876ef8fb76f6f4fc4383829d6e896b',
      float32: '5512b4ba0c7b14d34e8c4c7ac02ec80e2f932d6b5ac2ed962094c5e63860b8ff',
    },
  ],
];

/** SHA-256 of all weights and optimiser states after training. */
async function trained(backend: Backend, config: Config): Promise<string> {
  const model = buildModel(backend, config, config.batchSize);
  initialise(model, config);
  const trainer = new Trainer(model, IMAGES, splitTrainingSet(IMAGES.labels.length, config.val, null), config);
  let steps = 0;
  for await (const event of trainer.run()) if (event.type === 'step') steps++;
  expect(steps).toBeGreaterThanOrEqual(50);
  const hash = createHash('sha256');
  for (const { values } of (await trainer.checkpoint()).tensors.values()) hash.update(values);
  return hash.digest('hex');
}

describe.each(['int16', 'int8', 'float32'] as const)('the weights after 50 steps in %s', (precision) => {
  it.each(CASES)('are the same on any number of threads and any version of Node (%s)', async (_, change, wanted) => {
    const config = resolveConfig(effectiveConfig({ ...EVERYTHING, ...change, precision }));
    const hashes: string[] = [];
    for (const threads of [1, 2, 3, 4]) {
      const backend = await createBackend({ backend: 'wasm', precision, threads });
      hashes.push(await trained(backend, config));
      backend.close();
    }
    expect(new Set(hashes).size).toBe(1);
    expect(hashes[0]).toBe(wanted[precision]);
  });
});
