import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { type DenseTensor, denseNetwork } from '../../src/models/dense.ts';
import { buildModel } from '../../src/models/model.ts';
import { Random } from '../../src/random.ts';
import { predictViews, sourcePixels, type ViewCount, viewsOf } from '../../src/training/views.ts';
import { randomImageSet } from '../support/images.ts';

const SET = randomImageSet(6, 'dense');

type Given = Parameters<typeof resolveConfig>[0];

/** A model in float64 whose weights and biases are random float32 numbers, and its dense form. */
async function modelAndDense(given: Given, views: ViewCount) {
  const config = resolveConfig({ recipe: 'plain', ...given });
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, config, 4);
  const values = new Map<string, Float64Array>();
  for (const { name, tensor, shape } of model.graph.parameters) {
    const random = new Random(2, name);
    const size = shape.reduce((product, length) => product * length, 1);
    values.set(
      name,
      Float64Array.from({ length: size }, () => Math.fround(0.1 * random.normal())),
    );
    backend.write(tensor, values.get(name)!);
  }
  return { model, tensors: denseNetwork(config, values, viewsOf(views).map(sourcePixels)) };
}

/** Scores of a plain dense network, in float64. */
function scoresOf(tensors: ReadonlyMap<string, DenseTensor>, image: Uint8Array): number[] {
  const layer = (name: string, input: readonly number[]) => {
    const [weight, bias] = [tensors.get(`${name}.weight`)!, tensors.get(`${name}.bias`)!];
    expect(weight.shape).toEqual([bias.values.length, input.length]);
    return Array.from(bias.values, (b, row) =>
      input.reduce((sum, x, k) => sum + weight.values[row * input.length + k] * x, b),
    );
  };
  const x = Array.from(image, (byte) => (byte - 128) / 64);
  if (tensors.has('linear.weight')) return layer('linear', x);
  return layer(
    'fc2',
    layer('fc1', x).map((z) => Math.max(0, z)),
  );
}

describe('the dense form of a model', () => {
  const mlp = { model: 'mlp', hidden: 3 } as const;
  const fields = { ...mlp, receptiveField: 16, receptiveStride: 8 } as const;
  it.each([
    ['a linear classifier', { model: 'linear' } as const, 0],
    ['dense ReLU', mlp, 3],
    ['dense crelu', { ...mlp, activation: 'crelu' } as const, 6],
    ['fields of ReLU', fields, 27],
    ['fields with four thresholds', { ...fields, activation: 'multi-bias' } as const, 108],
    ['fields that see the mirror image, too', { ...fields, activation: 'crelu', mirror: true } as const, 54],
    ['fields that leave pixels out', { ...fields, receptiveField: 12, receptiveStride: 7 } as const, 27],
  ])('has the scores of %s, over 1, 2 and 10 views', async (_, given, units) => {
    for (const views of [1, 2, 10] as const) {
      // With the mirror image of each view, its views are twice the same.
      const sides = 'mirror' in given ? Math.max(2, views) : views;
      const { model, tensors } = await modelAndDense(given, views);
      expect(tensors.get('fc1.bias')?.values.length ?? 0).toBe(units * sides);
      const wanted = await predictViews(model, SET, views);
      for (const i of [0, 5]) {
        const scores = scoresOf(tensors, SET.images.subarray(3072 * i, 3072 * (i + 1)));
        for (const [c, score] of scores.entries()) expect(Math.abs(score - wanted[10 * i + c])).toBeLessThan(2e-6);
      }
    }
  });

  it('keeps a filter at its place, with alternating signs', async () => {
    const { model, tensors } = await modelAndDense({ ...fields, activation: 'multi-bias' }, 1);
    const [weight] = model.graph.parameters;
    const filters = await model.graph.backend.read(weight.tensor);
    const { shape, values } = tensors.get('fc1.weight')!;
    expect(shape).toEqual([4 * 9 * 3, 3072]);
    // Filter 2 of the sixth field, which begins at row 8 and column 16.
    const filter = 5 * 3 + 2;
    for (const threshold of [0, 1, 2, 3]) {
      for (let i = 0; i < 3072; i++) {
        const [plane, y, x] = [i >> 10, ((i >> 5) & 31) - 8, (i & 31) - 16];
        const isInside = y >= 0 && y < 16 && x >= 0;
        const w = isInside ? filters[filter * 768 + plane * 256 + y * 16 + x] : 0;
        expect(values[(threshold * 27 + filter) * 3072 + i]).toBe(threshold % 2 === 0 ? w : 0 - w);
      }
    }
  });

  it('adds up the weights of a pixel that a reflected border shows twice', async () => {
    const { model, tensors } = await modelAndDense({ model: 'linear' }, 10);
    const weight = await model.graph.backend.read(model.graph.parameters[0].tensor);
    // Pixel (1, 16) of the red plane is at (1, 16), but also at (0, 16) after a move up … and at both after a move down.
    const at = (y: number, x: number) => weight[32 * y + x];
    const seen = (x: number) => at(1, x) + (at(2, x) + at(0, x)) + at(0, x) + at(1, x + 1) + at(1, x - 1);
    expect(tensors.get('linear.weight')!.values[32 + 16]).toBeCloseTo((seen(16) + seen(15)) / 10, 6);
  });

  it.each(['leaky-relu', 'tanh', 'sigmoid'] as const)('does not exist for %s', async (activation) => {
    await expect(modelAndDense({ ...mlp, activation }, 1)).rejects.toThrow(`a network of ${activation} units is not`);
  });

  it('is refused if it is too large', () => {
    const config = resolveConfig({ ...mlp, recipe: 'plain', hidden: 4500, activation: 'multi-bias' });
    const parameters = new Map(['fc1.weight', 'fc1.bias'].map((name) => [name, new Float32Array()]));
    expect(() => denseNetwork(config, parameters, viewsOf(10).map(sourcePixels))).toThrow(
      'would have 180000 hidden units',
    );
  });
});
