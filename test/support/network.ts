import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { explainModel } from '../../src/explain/model-graph.ts';
import { collectNetwork } from '../../src/explorer/network/collect.ts';
import type { NetworkData } from '../../src/explorer/network/network-data.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel, type Model, type ModelConfig } from '../../src/models/model.ts';
import { plainBatch, rows } from '../../src/training/batches.ts';
import { loadBatch } from '../../src/training/evaluate.ts';

export const LINEAR: ModelConfig = {
  model: 'linear',
  hidden: 1,
  receptiveField: 32,
  receptiveStride: 1,
  mirror: false,
  activation: 'relu',
  dropout: 0,
  loss: 'softmax',
  labelSmoothing: 0,
};
export const DENSE: ModelConfig = { ...LINEAR, model: 'mlp', hidden: 12 };
export const LOCAL: ModelConfig = {
  ...DENSE,
  hidden: 3,
  receptiveField: 8,
  receptiveStride: 8,
  activation: 'multi-bias',
  labelSmoothing: 0.1,
};

/** The page's data of an untrained network, on a batch of generated images.
 *  @param change changes its weights first. */
export async function networkOf(
  config: ModelConfig,
  { images = 40, change }: { images?: number; change?: (model: Model) => Promise<void> } = {},
): Promise<{ data: NetworkData; model: Model }> {
  const { train, classes } = syntheticDataset({ trainCount: images, testCount: 0 });
  const model = buildModel(new ReferenceBackend('float32'), config, images);
  initialise(model, { init: 'he', initStd: 0.01, seed: 1 });
  await change?.(model);
  loadBatch(model, train, plainBatch(rows(images)));
  const explanation = await explainModel(model, { key: 0, optimizerState: [] });
  const about = {
    generator: 'nn-train',
    title: `Network of ${config.activation} units`,
    facts: [['batch', `${images} images`]] as const,
    classes,
  };
  return { data: await collectNetwork(model, config, explanation, about), model };
}
