import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { beforeAll, describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { syntheticDataset } from '../../../src/dataset/synthetic.ts';
import { openRun } from '../../../src/runs/open-run.ts';
import { predict, softmaxRows } from '../../../src/training/predict.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { NN_TRAIN, nnTrain, QUICK } from '../../support/cli.ts';
import { pngFile } from '../../support/pictures.ts';

const cwd = scratchFolder();
const { test, classes } = syntheticDataset({ trainCount: 0, testCount: 40 });
const pictureOf = (index: number) =>
  Uint8Array.from({ length: 3072 }, (_, i) => test.images[index * 3072 + (i % 3) * 1024 + Math.floor(i / 3)]);
const write = (name: string, content: Uint8Array | string) => writeFileSync(path.join(cwd, name), content);

async function predictJson(run: string, ...files: string[]) {
  const { code, stdout, stderr } = await nnTrain(['predict', run, ...files, '--json'], { cwd });
  return { code, stderr, result: JSON.parse(stdout) };
}

beforeAll(async () => {
  for (const [name, ...options] of [
    ['mlp', '--model', 'mlp', '--recipe', 'plain', '--hidden', '20'],
    ['hinge', '--loss', 'hinge'],
    ['exact', '--precision', 'float32', '--backend', 'reference'],
  ]) {
    const { code, stderr } = await nnTrain([...QUICK, ...options, '--epochs', '2', '--out', name], { cwd });
    expect(code, stderr).toBe(0);
  }
});

describe('predict', () => {
  it('gives a test image the same bits as the same image in a batch', async () => {
    const backend = new ReferenceBackend('float32');
    const { model } = await openRun(path.join(cwd, 'exact'), { backend });
    const logits = await predict(
      model,
      test,
      Uint32Array.from({ length: 40 }, (_, i) => i),
    );
    const indices = [3, 17, 39];
    for (const i of indices) write(`${i}.png`, encodePng({ width: 32, height: 32, channels: 3, data: pictureOf(i) }));
    const { code, result } = await predictJson('exact', ...indices.map((i) => `${i}.png`));
    expect(code).toBe(0);
    expect(result).toMatchObject({ model: 'linear', dataset: 'synthetic', loss: 'softmax', run: 'exact', epoch: 2 });
    for (const [k, i] of indices.entries()) {
      const scores = [...logits.subarray(10 * i, 10 * i + 10)];
      const wanted = [...softmaxRows(scores, 10)];
      const best = scores.indexOf(Math.max(...scores));
      expect(result.images[k]).toEqual({
        file: `${i}.png`,
        width: 32,
        height: 32,
        preprocessing: [],
        predicted: classes[best],
        probability: wanted[best],
        probabilities: Object.fromEntries(classes.map((name, c) => [name, wanted[c]])),
      });
    }
  });

  it('averages the scores of views', async () => {
    const { model } = await openRun(path.join(cwd, 'exact'), { backend: new ReferenceBackend('float32') });
    const mirrored = Uint8Array.from({ length: 3072 }, (_, i) => test.images[3072 * 5 + i - (i % 32) + 31 - (i % 32)]);
    const set = {
      images: Uint8Array.of(...test.images.subarray(3072 * 5, 3072 * 6), ...mirrored),
      labels: new Uint8Array(2),
    };
    const logits = await predict(model, set);
    const wanted = softmaxRows(
      Array.from({ length: 10 }, (_, c) => (logits[c] + logits[10 + c]) / 2),
      10,
    );
    write('view.png', encodePng({ width: 32, height: 32, channels: 3, data: pictureOf(5) }));
    const { result } = await predictJson('exact', 'view.png', '--views', '2');
    expect(result.views).toBe(2);
    expect(Object.values(result.images[0].probabilities)).toEqual([...wanted]);
  });

  it('agrees with eval on the test images, in batches of any size', async () => {
    const indices = Array.from({ length: 40 }, (_, i) => i);
    for (const i of indices) write(`${i}.png`, encodePng({ width: 32, height: 32, channels: 3, data: pictureOf(i) }));
    const all = await predictJson('mlp', ...indices.map((i) => `${i}.png`));
    const alone = await predictJson('mlp', '7.png');
    expect(alone.result.images).toEqual([all.result.images[7]]);
    const right = indices.filter((i) => all.result.images[i].predicted === classes[test.labels[i]]).length;
    // The network classifies about half of the 2,000 correctly; chance would be 4 of 40.
    expect(right).toBeGreaterThan(10);
  });

  it('reads pictures of every kind and size', async () => {
    const photo = new Uint8Array(4 * 4000 * 3000);
    for (let i = 0; i < photo.length; i++) photo[i] = (i >> 12) & 255;
    write('photo.jpg', encodeJpeg({ width: 4000, height: 3000, data: photo }, 80).data);
    const one = { width: 1, height: 1, depth: 8, colourType: 2, samples: [9, 200, 30] };
    write('one.png', pngFile(one));
    const half = Array.from({ length: 40 * 50 }, (_, i) => (i % 40) * 6);
    const tall = { width: 40, height: 50, depth: 8 };
    write('grey.png', pngFile({ ...tall, colourType: 0, samples: half }));
    write('clear.png', pngFile({ ...tall, colourType: 4, samples: half.flatMap((value) => [value, 255 - value]) }));
    write('deep.png', pngFile({ ...tall, depth: 16, colourType: 0, samples: half.map((value) => 257 * value) }));
    const files = ['photo.jpg', 'one.png', 'grey.png', 'clear.png', 'deep.png'];
    const { code, stderr, result } = await predictJson('mlp', ...files);
    expect([code, stderr]).toEqual([0, 'note: trained on the synthetic stand-in images, not on CIFAR-10\n']);
    const [cropped, scaled] = ['centre-cropped to 40×40', 'scaled to 32×32'];
    expect(result.images.map(({ preprocessing }: { preprocessing: string[] }) => preprocessing)).toEqual([
      ['centre-cropped to 3000×3000', scaled],
      [scaled],
      [cropped, scaled],
      ['composited on white', cropped, scaled],
      [cropped, scaled],
    ]);
    expect(result.images[4].probabilities).toEqual(result.images[2].probabilities);
    for (const { probabilities } of result.images) {
      const sum = Object.values<number>(probabilities).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it('classifies the pictures it can read, and exits with the code of the first error', async () => {
    write('good.png', encodePng({ width: 32, height: 32, channels: 3, data: pictureOf(0) }));
    write('text.png', 'not a picture\n');
    write('cut.png', readFileSync(path.join(cwd, 'good.png')).subarray(0, 900));
    const { code, stdout, stderr } = await nnTrain(['predict', 'mlp', 'none.png', 'text.png', 'good.png', 'cut.png'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stderr.split('\n').slice(1)).toEqual([
      'error: cannot read none.png: no such file or folder',
      'error: text.png looks like text; wanted a PNG or a JPEG',
      'error: cut.png is damaged: it is truncated after 900 bytes; get an intact copy',
      '',
    ]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('good.png  32×32');
    const shares = lines.slice(1).map((line) => Number(line.match(/([\d.]+) %$/)![1]));
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    expect(
      lines
        .slice(1)
        .map((line) => line[0])
        .join(''),
    ).toBe('>         ');

    const { code: onlyBad, result } = await predictJson('mlp', 'cut.png', 'good.png');
    expect(onlyBad).toBe(3);
    expect(result.images[0]).toEqual({ file: 'cut.png', error: expect.stringContaining('cut.png is damaged') });
    expect(result.images[1].file).toBe('good.png');
  });

  it('reads stdin, and notes that the scores of a hinge run are not probabilities', async () => {
    const child = spawn(process.execPath, [NN_TRAIN, 'predict', 'hinge', '-', '--json'], { cwd });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.stdin.end(pngFile({ width: 1, height: 1, depth: 8, colourType: 0, samples: [128] }));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('scores are not probabilities; their softmax is shown');
    expect(JSON.parse(stdout)).toMatchObject({ loss: 'hinge', images: [{ file: '-', width: 1 }] });
  });

  it('requires a picture', async () => {
    const { code, stderr } = await nnTrain(['predict', 'mlp'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("missing required argument 'images'");
  });
});
