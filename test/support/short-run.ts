import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import type { RunEvent } from '../../src/runs/events.ts';
import { train } from '../../src/runs/train.ts';

/** 100 images to train on and 10 to test on. */
export const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 100, testCount: 10 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};

/** Three epochs of four steps each. */
export const CONFIG = resolveConfig({ precision: 'float32', val: 20, batchSize: 20, epochs: 3 });

export function trainIn(out: string, onEvent: (event: RunEvent) => void = () => {}) {
  return train({ config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), out, onEvent });
}
