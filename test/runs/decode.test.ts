import { expect, it } from 'vitest';
import { decodeRecord } from '../../src/runs/decode.ts';

const REST = {
  dataset: { name: 'cifar10', source: '/data', sha256: 'a'.repeat(64) },
  environment: { version: '0.1.0', node: 'v20.19.0', platform: 'linux', cpu: 'any', backend: 'wasm', dtype: 'float32' },
};

it('a run without a recipe, as earlier versions saved them, is a plain one', () => {
  const { config } = decodeRecord({ config: { model: 'mlp', hidden: 7 }, ...REST }, 'config.json');
  expect(config).toMatchObject({ recipe: 'plain', receptiveField: 32, activation: 'relu', optimizer: 'sgd', lr: 0.05 });
  const linear = decodeRecord({ config: { lr: 0.1 }, ...REST }, 'config.json').config;
  expect(linear).toMatchObject({ recipe: 'plain', shift: 0, labelSmoothing: 0, precision: 'float32' });
});

it('a run with a recipe keeps it', () => {
  const { config } = decodeRecord({ config: { model: 'mlp', recipe: 'fast' }, ...REST }, 'config.json');
  expect(config).toMatchObject({ recipe: 'fast', receptiveField: 8, optimizer: 'muon' });
});
