import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { evaluate } from '../../src/training/evaluate.ts';
import { predict } from '../../src/training/predict.ts';
import { evaluateViews, predictViews, viewsOf } from '../../src/training/views.ts';
import { randomImageSet } from '../support/images.ts';

const SET = randomImageSet(23, 'views');

/** A linear model, in batches of 8 images, with its weights. */
async function linearModel() {
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, resolveConfig({ model: 'linear' }), 8);
  initialise(model, { init: 'normal', initStd: 0.02, seed: 0 });
  const [weight] = await Promise.all(model.graph.parameters.map(({ tensor }) => backend.read(tensor)));
  return { model, weight };
}

/** The image with its border reflected, so that a pixel at (−1, x) is that at (1, x). */
function pixel(image: Uint8Array, plane: number, y: number, x: number): number {
  const inside = (i: number) => 31 - Math.abs(31 - Math.abs(i));
  return (image[plane * 1024 + inside(y) * 32 + inside(x)] - 128) / 64;
}

/** Mean scores of an image over the views, one pixel of each view after the other. */
function scoresOf(weight: ArrayLike<number>, image: Uint8Array, count: number): number[] {
  const moves = count === 10 ? ['', 'up', 'down', 'left', 'right'] : [''];
  const copies = (count === 1 ? [false] : [false, true]).flatMap((isMirrored) =>
    moves.map((move) => (plane: number, y: number, x: number) => {
      // What is at (y, x) after a move down was at (y − 1, x) before.
      const row = y + (move === 'down' ? -1 : move === 'up' ? 1 : 0);
      const column = x + (move === 'right' ? -1 : move === 'left' ? 1 : 0);
      return isMirrored ? pixel(image, plane, row, 31 - column) : pixel(image, plane, row, column);
    }),
  );
  return Array.from({ length: 10 }, (_, c) => {
    let sum = 0;
    for (const at of copies) {
      for (let i = 0; i < 3072; i++) sum += weight[c * 3072 + i] * at(i >> 10, (i >> 5) & 31, i & 31);
    }
    return sum / copies.length;
  });
}

describe('views of test images', () => {
  it('are the image, its mirror image, and both moved by a pixel each way', () => {
    expect(viewsOf(1)).toEqual([{ flip: false, shiftX: 0, shiftY: 0 }]);
    expect(viewsOf(2)).toEqual([
      { flip: false, shiftX: 0, shiftY: 0 },
      { flip: true, shiftX: 0, shiftY: 0 },
    ]);
    const ten = viewsOf(10);
    expect(ten[0]).toEqual(viewsOf(1)[0]);
    expect(new Set(ten.map((view) => JSON.stringify(view))).size).toBe(10);
    expect(ten.every(({ shiftX, shiftY }) => Math.abs(shiftX) + Math.abs(shiftY) <= 1)).toBe(true);
  });

  it.each([1, 2, 10] as const)('average their scores: %i', async (views) => {
    const { model, weight } = await linearModel();
    const indices = Uint32Array.of(20, 3, 4, 5, 6, 7, 8, 9, 10, 0, 22);
    const logits = await predictViews(model, SET, views, indices);
    const { averaged, ...plain } = await evaluateViews(model, SET, views, indices);
    expect(plain).toEqual(await evaluate(model, SET, indices));
    let correct = 0;
    for (const [i, index] of indices.entries()) {
      const wanted = scoresOf(weight, SET.images.subarray(3072 * index, 3072 * (index + 1)), views);
      for (const [c, score] of wanted.entries()) expect(logits[10 * i + c]).toBeCloseTo(score, 11);
      if (wanted.indexOf(Math.max(...wanted)) === SET.labels[index]) correct++;
    }
    expect(averaged).toEqual(views === 1 ? undefined : { views, accuracy: correct / indices.length });
  });

  it('are all images by default, and a single view gives the bits of predict', async () => {
    const { model } = await linearModel();
    expect(Float32Array.from(await predictViews(model, SET, 1))).toEqual(await predict(model, SET));
    expect((await evaluateViews(model, SET, 2)).loss).toBe((await evaluate(model, SET)).loss);
  });

  it('stop when their signal is aborted', async () => {
    const { model } = await linearModel();
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(evaluateViews(model, SET, 10, Uint32Array.of(1), signal)).rejects.toBe(reason);
    await expect(predictViews(model, SET, 10, Uint32Array.of(1), signal)).rejects.toBe(reason);
  });
});
