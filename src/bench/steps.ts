import type { Backend } from '../backends/backend.ts';
import { CLASS_COUNT, IMAGE_BYTES, type ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel } from '../models/model.ts';
import { OPTIMIZERS } from '../optim/optimizers.ts';
import { Random } from '../random.ts';
import { augmentedBatch, rows, shuffled } from '../training/batches.ts';
import { Trainer } from '../training/trainer.ts';
import { randomTensor } from './products.ts';
import { configOf, LEARNING_RATE, layerOf, type StepSize } from './sizes.ts';

// Whole training steps, and the parts of a step that are not products of the forward or the backward pass.

/** Number of random images to train on: 50 MB, more than most caches hold. */
const IMAGES = 16_384;

export function randomImages(backend: Backend): ImageSet {
  const set = backend.imageSet(IMAGES);
  const random = new Random(0, 'benchmark', 'images');
  const words = new Uint32Array(set.images.buffer, set.images.byteOffset, set.images.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  for (let i = 0; i < IMAGES; i++) set.labels[i] = random.integer(CLASS_COUNT);
  return set;
}

/** Sets a trainer up and returns a function that takes one step. The function returns the number of images. */
export function prepareStep(backend: Backend, images: ImageSet, size: StepSize): () => Promise<number> {
  const config = configOf(size, backend.precision);
  const { batchSize } = config;
  const model = buildModel(backend, config, batchSize);
  initialise(model, config);
  const train = rows(Math.floor(IMAGES / batchSize) * batchSize);
  const events = new Trainer(model, images, { train, validation: new Uint32Array() }, config).run();
  return async () => {
    while ((await events.next()).value?.type !== 'step');
    return batchSize;
  };
}

/** A part of a step: loading and cropping the images, the product dh with the derivative of the units and the sum for the
 *  biases in one pass, or the end of the optimiser's update. */
export type PartName = 'images' | 'dunits' | 'muon';

/** Allocates the operands of each part, and returns the functions that compute them; each returns 1. */
export function prepareParts(backend: Backend, set: ImageSet, size: StepSize): [PartName, () => number][] {
  const { P, F, K, H, sides } = layerOf(size);
  const config = configOf(size, backend.precision);
  const B = config.batchSize;
  const store = (shape: number[]) => ({ kind: 'store', tensor: backend.allocate(shape) }) as const;
  const [images, labels] = [backend.allocate([B, IMAGE_BYTES], 'pixel'), backend.allocate([B], 'label')];
  const fields = backend.allocate([B, P * K], 'pixel');
  const windows = { size: config.receptiveField, stride: config.receptiveStride, mirrored: false };
  const order = shuffled(rows(IMAGES), 0, 1);
  const [x, bias, y] = [randomTensor(backend, [B, P * F]), backend.allocate([H]), backend.allocate([B, H])];
  const [dlogits, weight2] = [randomTensor(backend, [B, CLASS_COUNT]), randomTensor(backend, [CLASS_COUNT, H])];
  const into = { x: store([B, P * F]), bias: store([H]) };
  const weight = { name: 'weight', shape: [P * F, K], tensor: randomTensor(backend, [P * F, K]), matrices: P };
  const update = OPTIMIZERS.muon.create(config).attach(weight, backend);
  backend.deliver(weight.tensor, update.begin(1, LEARNING_RATE));
  let step = 0;
  const onEachSide = (run: () => void) => {
    for (let side = 0; side < sides; side++) run();
  };
  const load = () => {
    const first = (step++ * B) % (IMAGES - B);
    const plan = augmentedBatch(order.subarray(first, first + B), { ...config, step });
    backend.loadBatch(set, plan, images, labels);
    onEachSide(() => backend.crop(images, windows, fields));
  };
  const derivative = () => backend.matmul(dlogits, weight2, { kind: 'multi-bias', tensor: y, x, bias, into });
  const parts: Readonly<Record<PartName, () => void>> = {
    images: load,
    dunits: () => onEachSide(derivative),
    muon: () => update.end!(),
  };
  return (Object.keys(parts) as PartName[]).map((name) => [
    name,
    () => {
      parts[name]();
      return 1;
    },
  ]);
}
