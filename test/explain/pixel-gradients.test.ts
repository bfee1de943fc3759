import { expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { pixelGradients } from '../../src/explain/pixel-gradients.ts';
import { CLASS_COUNT, IMAGE_BYTES } from '../../src/images.ts';
import { buildModel, type ModelConfig } from '../../src/models/model.ts';
import { Random } from '../../src/random.ts';
import { normals } from '../support/graphs.ts';
import { LINEAR } from '../support/network.ts';

const PLAIN: ModelConfig = { ...LINEAR, model: 'mlp', hidden: 5 };
const LOCAL: ModelConfig = { ...PLAIN, receptiveField: 16, receptiveStride: 8, activation: 'multi-bias' };
const B = 2;
const STEP = 1e-4;

/** A network with random weights, in float64, and images between two levels of grey. */
function networkOf(config: ModelConfig) {
  const backend = new ReferenceBackend('float64');
  const model = buildModel(backend, config, B, { inputs: IMAGE_BYTES, classes: CLASS_COUNT });
  const pixels = normals(B * IMAGE_BYTES, 'images');
  for (const { name, shape, tensor } of model.graph.parameters) {
    const values = normals(
      shape.reduce((product, length) => product * length),
      name,
    );
    backend.write(
      tensor,
      values.map((value) => value / Math.sqrt(shape.at(-1)!)),
    );
  }
  backend.write(model.labels.tensor, [3, 7]);
  const at = async (moved: ArrayLike<number>, of: 'logits' | 'loss') => {
    backend.write(model.images.tensor, moved);
    model.graph.forward();
    return backend.read(model[of].tensor);
  };
  return { model, pixels, at };
}

it.each<[string, ModelConfig]>([
  ['a linear classifier', { ...PLAIN, model: 'linear' }],
  ['a dense network', PLAIN],
  ['a dense network of tanh units with hinge loss', { ...PLAIN, activation: 'tanh', loss: 'hinge' }],
  ['a network with receptive fields and several units for each filter', LOCAL],
  ['a network that also sees the mirror image', { ...LOCAL, mirror: true, dropout: 0.5 }],
  ['a dense network that also sees the mirror image', { ...PLAIN, mirror: true, activation: 'crelu' }],
])('equals finite differences at 20 random pixels: %s', async (_, config) => {
  const { model, pixels, at } = networkOf(config);
  const random = new Random(1, 'pixels');
  const label = random.integer(CLASS_COUNT);
  const upstream = Float64Array.from({ length: B * CLASS_COUNT }, (_, i) => Number(i % CLASS_COUNT === label));
  await at(pixels, 'logits');
  const ofScore = await pixelGradients(model, model.logits, upstream);
  const ofLoss = await pixelGradients(model, model.loss);
  for (let i = 0; i < 20; i++) {
    const [image, pixel] = [random.integer(B), random.integer(IMAGE_BYTES)];
    const index = image * IMAGE_BYTES + pixel;
    const move = (by: number) => pixels.map((value, j) => (j === index ? value + by : value));
    const slope = (up: number, down: number) => (up - down) / (2 * STEP);
    const scoreOf = async (by: number) => (await at(move(by), 'logits'))[image * CLASS_COUNT + label];
    const lossOf = async (by: number) => (await at(move(by), 'loss'))[0];
    expect(Math.abs(ofScore[index] - slope(await scoreOf(STEP), await scoreOf(-STEP)))).toBeLessThan(1e-6);
    expect(Math.abs(ofLoss[index] - slope(await lossOf(STEP), await lossOf(-STEP)))).toBeLessThan(1e-6);
  }
  expect(ofScore.some((value) => value !== 0)).toBe(true);
});
