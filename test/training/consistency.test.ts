import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { splitTrainingSet } from '../../src/training/batches.ts';
import { contradictionIn } from '../../src/training/consistency.ts';
import { INITIAL_PROGRESS, type Progress } from '../../src/training/progress.ts';
import { Trainer } from '../../src/training/trainer.ts';

/** The progress after every event of a training on 50 images. */
async function everyProgress(given: { batchSize: number; val: number }) {
  const config = resolveConfig({ precision: 'float32', trainLimit: 50, epochs: 3, ...given });
  const { train } = syntheticDataset({ trainCount: 70, testCount: 0 });
  const model = buildModel(new ReferenceBackend(), config, Math.min(50, config.batchSize));
  initialise(model, config);
  const trainer = new Trainer(model, train, splitTrainingSet(70, config.val, config.trainLimit), config);
  const seen: Progress[] = [trainer.progress];
  for await (const _ of trainer.run()) seen.push(trainer.progress);
  return { config, seen };
}

/** The progress with each of its whole numbers one higher and one lower. */
function neighbours(progress: Progress): { readonly path: string; readonly changed: Progress }[] {
  const paths = [
    'step',
    'epochImages',
    'trainedImages',
    'lastEpoch.epoch',
    'lastEpoch.step',
    'best.epoch',
    'best.step',
  ];
  return paths.flatMap((path) => {
    const [outer, inner] = path.split('.') as ['best', 'step' | undefined];
    const value = progress[outer];
    if (value === null) return [];
    return [-1, 1].map((by) => {
      const changed = inner ? { ...value, [inner]: value[inner] + by } : (value as unknown as number) + by;
      return { path: `${path} ${by}`, changed: { ...progress, [outer]: changed } as Progress };
    });
  });
}

describe('the progress of a training', () => {
  it.each([
    { batchSize: 20, val: 10 },
    { batchSize: 25, val: 10 },
    { batchSize: 60, val: 0 },
  ])('is consistent after every event, and with no whole number changed by one: %o', async (given) => {
    const { config, seen } = await everyProgress(given);
    for (const progress of seen) {
      expect(contradictionIn(progress, config)).toBeUndefined();
      expect(contradictionIn(progress, config, 50)).toBeUndefined();
      for (const { path, changed } of neighbours(progress)) {
        expect(contradictionIn(changed, config, 50), `${path}: ${JSON.stringify(progress)}`).toBeDefined();
      }
    }
  });

  const CONFIG = { epochs: 2, batchSize: 20 };
  const validation = { loss: 1, accuracy: 0.5 };
  const first = { epoch: 1, step: 3, train: validation, validation, learningRate: 0.1 };
  const second = { ...first, epoch: 2, step: 6 };
  const afterOne: Progress = { ...INITIAL_PROGRESS, step: 3, trainedImages: 50, lastEpoch: first, best: first };

  it.each<[Partial<Progress>, string]>([
    [{ lastEpoch: { ...second, epoch: 3, step: 9 } }, 'epoch 3 is done, but epoch 2 is the last of the configuration'],
    [{ trainedImages: 0 }, '0 images after epoch 1 and 0 images of the next'],
    [{ lastEpoch: null, best: null }, '50 images after epoch 0 and 0 images of the next'],
    [{ lastEpoch: second }, 'epoch 2 ended at step 6, with 25 images per epoch and 20 per step'],
    [{ step: 4 }, 'step 4 is 0 images after step 3, with 20 per step'],
    [{ step: 0 }, 'step 0 is 0 images after step 3, with 20 per step'],
    [{ epochImages: 60, trainedImages: 110, step: 6 }, '60 images of an epoch that has 50'],
    [{ epochCorrect: 1 }, '1 of 0 images are classified correctly'],
    [{ epochLoss: 1 }, 'the loss of no images is 1'],
    [{ best: null }, 'the best epoch is null, the last epoch 1'],
    [{ lastEpoch: { ...first, validation: null } }, 'the best epoch is 1, the last epoch 1'],
    [{ best: second }, 'the best epoch is 2, at step 6; the last is 1, at step 3'],
    [{ best: { ...first, validation: null } }, 'the best epoch is 1, at step 3; the last is 1, at step 3'],
  ])('is refused if it has %o', (changed, contradiction) => {
    expect(contradictionIn(afterOne, CONFIG)).toBeUndefined();
    expect(contradictionIn({ ...afterOne, ...changed }, CONFIG)).toBe(contradiction);
  });

  it('is refused on another number of images', () => {
    expect(contradictionIn(afterOne, CONFIG, 50)).toBeUndefined();
    expect(contradictionIn(afterOne, CONFIG, 49)).toBe(
      '50 images after epoch 1 and 0 images of the next, with 49 per epoch',
    );
  });
});
