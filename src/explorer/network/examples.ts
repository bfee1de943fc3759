import type { Backend } from '../../backends/backend.ts';
import { ReferenceBackend } from '../../backends/reference/reference.ts';
import { pixelGradients } from '../../explain/pixel-gradients.ts';
import { IMAGE_BYTES } from '../../images.ts';
import { buildModel, type Model, type ModelConfig } from '../../models/model.ts';
import type { Example } from './network-data.ts';
import { base64, encodePixels } from './pixel-map.ts';

/** Computes what a network makes of a few images of its batch, and the gradients of its scores and of its loss by their pixels,
 *  on the reference backend in float64, without dropout and label smoothing. Runs a forward pass of the model. */
export async function examplesOf(model: Model, config: ModelConfig): Promise<Example[]> {
  const { graph, images, logits, labels } = model;
  graph.forward();
  const read = (wire: Model['images']) => graph.backend.read(wire.tensor);
  const [pixels, scores, classes] = [await read(images), await read(logits), await read(labels)];
  const exact = await inFloat64(model, config);
  const examples: Example[] = [];
  for (const image of chosen(scores, classes)) {
    const row = pixels.subarray(image * IMAGE_BYTES, (image + 1) * IMAGE_BYTES);
    examples.push(await exampleOf(exact, row, classes[image]));
  }
  return examples;
}

/** A copy of a model for one image of numbers, not of bytes. */
async function inFloat64({ graph: { backend, parameters }, logits }: Model, config: ModelConfig): Promise<Model> {
  const size = { inputs: IMAGE_BYTES, classes: logits.shape[1] };
  const copy = buildModel(new ReferenceBackend('float64'), config, 1, size);
  for (const [i, { tensor }] of copy.graph.parameters.entries()) {
    copy.graph.backend.write(tensor, await backend.read(parameters[i].tensor));
  }
  return copy;
}

/** For each class, the first image that the network gets right, and then those that it gets wrong. */
function chosen(scores: ArrayLike<number>, labels: ArrayLike<number>): number[] {
  const C = scores.length / labels.length;
  const found = new Map<number, number>();
  for (let image = 0; image < labels.length; image++) {
    const row = Array.from({ length: C }, (_, label) => scores[image * C + label]);
    const isRight = row.indexOf(Math.max(...row)) === labels[image];
    const kind = labels[image] + C * Number(!isRight);
    if (!found.has(kind)) found.set(kind, image);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, image]) => image);
}

async function exampleOf(model: Model, pixels: ArrayLike<number>, label: number): Promise<Example> {
  const { graph, images, labels, logits, loss } = model;
  const backend: Backend = graph.backend;
  backend.write(images.tensor, pixels);
  backend.write(labels.tensor, [label]);
  graph.forward();
  const scores = Array.from(await backend.read(logits.tensor));
  const scoreGradients = [];
  for (const chosen of scores.keys()) {
    const upstream = scores.map((_, other) => Number(other === chosen));
    scoreGradients.push(encodePixels(await pixelGradients(model, logits, upstream)));
  }
  return {
    pixels: base64(Uint8Array.from(pixels, (value) => 64 * value + 128)),
    label,
    scores,
    loss: (await backend.read(loss.tensor))[0],
    scoreGradients,
    lossGradient: encodePixels(await pixelGradients(model, loss)),
  };
}
