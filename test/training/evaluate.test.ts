import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { rows } from '../../src/training/batches.ts';
import { evaluate } from '../../src/training/evaluate.ts';
import { predict } from '../../src/training/predict.ts';
import { randomImageSet } from '../support/images.ts';

const SET = randomImageSet(50, 'evaluation');
const MLP = {
  model: 'mlp',
  hidden: 9,
  receptiveField: 32,
  receptiveStride: 1,
  mirror: false,
  activation: 'tanh',
  dropout: 0.5,
  loss: 'softmax',
  labelSmoothing: 0.2,
} as const;

describe('evaluate', () => {
  it('is the mean over all images, even if the last batch is smaller', async () => {
    const backend = new ReferenceBackend('float64');
    // 50 images in batches of 16 leave a last one of 2.
    const model = buildModel(backend, MLP, 16);
    initialise(model, { init: 'normal', initStd: 0.1, seed: 0 });
    const [weight1, , weight2] = await Promise.all(model.graph.parameters.map(({ tensor }) => backend.read(tensor)));

    let [loss, correct] = [0, 0];
    const indices = Uint32Array.from({ length: 50 }, (_, i) => 49 - i);
    for (const index of indices) {
      const hidden = Array.from({ length: 9 }, (_, h) => {
        let sum = 0;
        for (let d = 0; d < 3072; d++) sum += (weight1[h * 3072 + d] * (SET.images[index * 3072 + d] - 128)) / 64;
        return Math.tanh(sum);
      });
      const scores = Array.from({ length: 10 }, (_, c) =>
        hidden.reduce((sum, h, i) => sum + weight2[c * 9 + i] * h, 0),
      );
      const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
      loss -= Math.log(Math.exp(scores[SET.labels[index]]) / total) / 50;
      if (scores.indexOf(Math.max(...scores)) === SET.labels[index]) correct++;
    }
    const metrics = await evaluate(model, SET, indices);
    expect(metrics.loss).toBeCloseTo(loss, 12);
    expect(metrics.accuracy).toBe(correct / 50);
  });

  it('uses all images by default', async () => {
    const model = buildModel(new ReferenceBackend(), MLP, 16);
    initialise(model, { init: 'normal', initStd: 0.1, seed: 0 });
    expect(await evaluate(model, SET)).toEqual(await evaluate(model, SET, rows(50)));
    expect(await predict(model, SET)).toEqual(await predict(model, SET, rows(50)));
  });

  it('stops when its signal is aborted', async () => {
    const model = buildModel(new ReferenceBackend(), MLP, 16);
    const reason = new Error('enough');
    await expect(evaluate(model, SET, Uint32Array.of(1, 2), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
