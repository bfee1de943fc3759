import type { Tensor } from '../backends/backend.ts';
import { type Pass, store } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import type { Model } from '../models/model.ts';

const PLAIN: Pass = { training: false, key: 0 };

/** Gradient of Σ upstream ⊙ y with respect to the images [B, D], at the values of the last forward pass, without dropout.
 *
 *  Training never needs it, so the graph stops at the first layer. Here the gates of that layer are asked for the gradient of
 *  their images, too. Where they see receptive fields, each pixel gets the sum over the fields that it is in.
 *  @param model of images that are numbers, not bytes. @param y a wire, such as the logits or the loss.
 *  @param upstream of the shape of y; a scalar needs none: it is 1. */
export async function pixelGradients(model: Model, y: Wire, upstream?: ArrayLike<number>): Promise<Float64Array> {
  const { graph, images } = model;
  graph.backward(y, new Map(), upstream);
  const [B, D] = images.shape;
  const sum = new Float64Array(B * D);
  for (const { gate, inputs, output } of graph.tape) {
    const { x } = inputs;
    if (!x || x.needsGradient || !output.needsGradient) continue;
    const tensors = mapTensors(inputs);
    const context = { inputs: tensors, output: output.tensor, upstream: output.gradient, pass: PLAIN };
    const gradient = graph.backend.allocate(x.shape);
    gate.backward(graph.backend, context).x!(store(gradient));
    const values = await graph.backend.read(gradient);
    const pixels = await pixelsOn(x, model);
    for (let i = 0; i < values.length; i++) {
      const image = Math.floor(i / pixels.length);
      sum[image * D + pixels[i % pixels.length]] += values[i];
    }
  }
  return sum;
}

/** Returns the pixel of the image that each number of a row of a wire is a copy of. The gate that copies them tells: it is given
 *  an image of the numbers of its pixels. */
async function pixelsOn(wire: Wire, { graph, images }: Model): Promise<ArrayLike<number>> {
  const D = images.shape[1];
  const numbers = Float64Array.from({ length: D }, (_, pixel) => pixel);
  const entry = graph.tape.find(({ output }) => output === wire);
  if (!entry) return numbers;
  const row = rowOf(graph, images);
  graph.backend.write(row, numbers);
  const copies = rowOf(graph, wire);
  entry.gate.forward(graph.backend, { images: row }, copies, PLAIN);
  return graph.backend.read(copies);
}

function rowOf({ backend }: Graph, { shape }: Wire): Tensor {
  return backend.allocate([1, ...shape.slice(1)]);
}

function mapTensors(inputs: Readonly<Record<string, Wire>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { tensor }]) => [name, tensor]));
}
