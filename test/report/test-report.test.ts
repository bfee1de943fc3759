import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { templatePixels } from '../../src/pictures/template.ts';
import { testReport } from '../../src/report/test-report.ts';
import { weightPictures } from '../../src/report/weight-pictures.ts';

const N = 120;
const DATASET = syntheticDataset({ trainCount: 10, testCount: N });
const { images, labels } = DATASET.test;

function modelOf(given: Parameters<typeof resolveConfig>[0]) {
  const config = resolveConfig({ precision: 'float32', ...given });
  const model = buildModel(new ReferenceBackend(), config, 50);
  initialise(model, config);
  return model;
}

const valuesOf = async (model: ReturnType<typeof modelOf>, name: string) =>
  model.graph.backend.read(model.graph.parameters.find((wire) => wire.name === name)!.tensor);

/** Decodes the pixels of a data: URL. */
function pixelsOf(dataUrl: string): Uint8Array {
  const [, base64] = dataUrl.match(/^data:image\/png;base64,(.+)$/)!;
  const { width, height, channels, data } = decode(Buffer.from(base64, 'base64'));
  expect([width, height, channels]).toEqual([32, 32, 3]);
  return Uint8Array.from(data);
}

/** Reorders the bytes of a picture from (y, x, channel) to the order of CIFAR-10. */
const planar = (pixels: Uint8Array) =>
  Array.from({ length: 3072 }, (_, i) => pixels[(i % 1024) * 3 + Math.floor(i / 1024)]);

describe('testReport', () => {
  it('agrees with plain loops over the images', async () => {
    const model = modelOf({ model: 'linear' });
    const [weight, bias] = [await valuesOf(model, 'linear.weight'), await valuesOf(model, 'linear.bias')];
    const confusion = Array.from({ length: 10 }, () => new Array(10).fill(0));
    const wrong: { index: number; predicted: number; probability: number; labelProbability: number }[] = [];
    let lossSum = 0;
    for (let n = 0; n < N; n++) {
      const scores = Array.from(bias, (b, c) => {
        let sum = b;
        for (let i = 0; i < 3072; i++) sum += (weight[c * 3072 + i] * (images[n * 3072 + i] - 128)) / 64;
        return sum;
      });
      const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
      const probability = scores.map((score) => Math.exp(score) / total);
      lossSum -= Math.log(probability[labels[n]]);
      const predicted = scores.indexOf(Math.max(...scores));
      confusion[labels[n]][predicted]++;
      if (predicted === labels[n]) continue;
      const [p, labelProbability] = [probability[predicted], probability[labels[n]]];
      wrong.push({ index: n, predicted, probability: p, labelProbability });
    }

    const report = await testReport(model, DATASET);
    expect(report.confusion).toEqual(confusion);
    expect([report.images, report.correct]).toEqual([N, N - wrong.length]);
    expect(report.accuracy).toBeCloseTo(1 - wrong.length / N, 12);
    expect(report.loss).toBeCloseTo(lossSum / N, 4);
    expect(report.perClass.map(({ name, images, correct }) => [name, images, correct])).toEqual(
      DATASET.classes.map((name, c) => [name, 12, confusion[c][c]]),
    );
    // The ends of the Wilson interval are where the score test just holds: (p̂ − p)² = z² p(1 − p)/n.
    for (const { interval, correct, images } of [report, ...report.perClass]) {
      const share = correct / images;
      for (const p of interval.filter((end) => end > 0 && end < 1)) {
        expect((share - p) ** 2).toBeCloseTo((1.96 ** 2 * p * (1 - p)) / images, 4);
      }
      expect(interval[0]).toBeLessThanOrEqual(share);
      expect(interval[1]).toBeGreaterThan(share);
    }

    wrong.sort((a, b) => b.probability - a.probability);
    expect(wrong.length).toBeGreaterThan(30);
    expect(report.mistakes.map(({ index }) => index)).toEqual(wrong.slice(0, 30).map(({ index }) => index));
    for (const [i, mistake] of report.mistakes.entries()) {
      const { index, predicted, probability, labelProbability } = wrong[i];
      expect(mistake.predicted).toBe(DATASET.classes[predicted]);
      expect(mistake.label).toBe(DATASET.classes[labels[index]]);
      expect(mistake.probability).toBeCloseTo(probability, 5);
      expect(mistake.labelProbability).toBeCloseTo(labelProbability, 5);
      expect(planar(pixelsOf(mistake.picture))).toEqual([...images.subarray(index * 3072, (index + 1) * 3072)]);
    }
  });

  it('uses loss and accuracy that are already known', async () => {
    const metrics = { loss: 1.25, accuracy: 0.5 };
    expect(await testReport(modelOf({ model: 'linear' }), DATASET, { metrics })).toMatchObject(metrics);
  });

  it('stops when its signal is aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(testReport(modelOf({ model: 'linear' }), DATASET, { signal })).rejects.toThrow('enough');
  });
});

describe('weightPictures', () => {
  it('draws a template per class without needing images', async () => {
    const model = modelOf({ model: 'linear' });
    const weight = await valuesOf(model, 'linear.weight');
    const { kind, total, pictures } = (await weightPictures(
      model,
      resolveConfig({ model: 'linear' }),
      DATASET.classes,
    ))!;
    expect([kind, total]).toEqual(['templates', 10]);
    expect(pictures.map(({ name }) => name)).toEqual(DATASET.classes);
    for (const [c, { picture }] of pictures.entries()) {
      // The mapping from weights to pixels is tested with templatePixels.
      expect(pixelsOf(picture)).toEqual(templatePixels(weight.subarray(c * 3072, (c + 1) * 3072)));
    }
  });

  it('draws the most used filters and says how often their units are active', async () => {
    const config = resolveConfig({ model: 'mlp', recipe: 'plain', hidden: 70 });
    const model = modelOf(config);
    const [weight, bias] = [await valuesOf(model, 'fc1.weight'), await valuesOf(model, 'fc1.bias')];
    // Unit 5 is never active, unit 3 always.
    weight.fill(0, 5 * 3072, 6 * 3072);
    weight.fill(0, 3 * 3072, 4 * 3072);
    weight[3 * 3072] = 1e-3;
    [bias[5], bias[3]] = [-1, 1000];
    const set = (name: string, values: ArrayLike<number>) =>
      model.graph.backend.write(model.graph.parameters.find((wire) => wire.name === name)!.tensor, values);
    set('fc1.weight', weight);
    set('fc1.bias', bias);
    const { kind, total, pictures } = (await weightPictures(model, config, DATASET.classes, DATASET.test))!;
    expect([kind, total, pictures.length]).toEqual(['filters', 70, 64]);
    expect(pictures[0]).toMatchObject({ name: 'unit 3', detail: 'active on 100 % of images' });
    // Grey except for its first weight, that of the first red pixel.
    const pixels = planar(pixelsOf(pictures[0].picture));
    expect([pixels[0], ...new Set(pixels.slice(1))]).toEqual([255, 128]);
    expect(pictures.map(({ name }) => name)).not.toContain('unit 5');
    expect(await weightPictures(model, config, DATASET.classes)).toBeNull();
  });

  it('draws a filter of a receptive field at its place, once for all of its units', async () => {
    const config = resolveConfig({
      model: 'mlp',
      recipe: 'plain',
      hidden: 3,
      receptiveField: 16,
      receptiveStride: 8,
      activation: 'multi-bias',
    });
    const model = modelOf(config);
    // Filter 2 of field 4, with its four units always active.
    const filter = 4 * 3 + 2;
    const bias = await valuesOf(model, 'fc1.bias');
    for (let t = 0; t < 4; t++) bias[t * 27 + filter] = 1000;
    const wire = model.graph.parameters.find(({ name }) => name === 'fc1.bias')!;
    model.graph.backend.write(wire.tensor, bias);
    const { total, pictures } = (await weightPictures(model, config, DATASET.classes, DATASET.test))!;
    expect([total, pictures.length]).toEqual([27, 27]);
    expect(pictures[0].name).toBe('field 4 (8, 8), filter 2');
    expect(pictures[0].detail).toBe('active on 100 %, 100 %, 100 %, 100 % of images');
    const weight = (await valuesOf(model, 'fc1.weight')).subarray(filter * 768, (filter + 1) * 768);
    for (const [i, byte] of planar(pixelsOf(pictures[0].picture)).entries()) {
      const [plane, y, x] = [i >> 10, ((i >> 5) & 31) - 8, (i & 31) - 8];
      const isInside = y >= 0 && y < 16 && x >= 0 && x < 16;
      if (!isInside) expect(byte).toBe(128);
      else if (Math.abs(byte - 128) > 1)
        expect(Math.sign(byte - 128)).toBe(Math.sign(weight[plane * 256 + y * 16 + x]));
    }
  });
});
