import { sourceColumns } from '../backends/augmentation.ts';
import { type BatchPlan, IMAGE_SIDE, type ImageSet, PLANE_BYTES } from '../images.ts';
import type { Model } from '../models/model.ts';
import { rows } from './batches.ts';
import { evaluate, evaluateWith, forwardBatches, type Metrics } from './evaluate.ts';
import { expectFinite, predictedClasses } from './predict.ts';

/** How a copy of a test image differs from it: as in training, it is mirrored first, then moved right and down. */
export interface View {
  readonly flip: boolean;
  readonly shiftX: number;
  readonly shiftY: number;
}

/** The number of views of an image. 1: the image; 2: its mirror image too; 10: both, and both moved by a pixel up, down, left and
 *  right. */
export type ViewCount = 1 | 2 | 10;

const UNMOVED = [[0, 0]] as const;
const BY_A_PIXEL = [...UNMOVED, [0, -1], [0, 1], [-1, 0], [1, 0]] as const;

/** Returns the views of an image, itself first. */
export function viewsOf(count: ViewCount): readonly View[] {
  const sides = count === 1 ? [false] : [false, true];
  const moves = count === 10 ? BY_A_PIXEL : UNMOVED;
  return sides.flatMap((flip) => moves.map(([shiftX, shiftY]) => ({ flip, shiftX, shiftY })));
}

/** Returns the pixel of the image that each of the 1024 pixels of a view shows, both counted row by row. */
export function sourcePixels({ flip, shiftX, shiftY }: View): Uint16Array {
  const [rowOf, columnOf] = [sourceColumns(false, shiftY), sourceColumns(flip, shiftX)];
  return Uint16Array.from(
    { length: PLANE_BYTES },
    (_, pixel) => rowOf[Math.floor(pixel / IMAGE_SIDE)] * IMAGE_SIDE + columnOf[pixel % IMAGE_SIDE],
  );
}

/** Metrics of the images, and the accuracy of scores that are averaged over views of them. */
export interface TestMetrics extends Metrics {
  /** Absent with a single view. */
  readonly averaged?: {
    readonly views: ViewCount;
    /** Share of images whose highest average logit is that of their label, in [0, 1]. */
    readonly accuracy: number;
  };
}

/** As `evaluate`; with several views also the accuracy of the logits averaged over them. Takes a forward pass for each view.
 *  @param indices rows of the set, at least one; all by default.
 *  @throws the signal's reason, once it is aborted. */
export async function evaluateViews(
  model: Model,
  set: ImageSet,
  views: ViewCount,
  indices: Uint32Array = rows(set.labels.length),
  signal?: AbortSignal,
): Promise<TestMetrics> {
  if (views === 1) return evaluate(model, set, indices, signal);
  const sum = new LogitSum(model, indices.length);
  const plain = await evaluateWith(model, set, indices, signal, (first) => sum.add(first));
  await addViews(sum, viewsOf(views).slice(1), { model, set, indices, signal });
  const predicted = predictedClasses(sum.logits, sum.classes);
  const correct = indices.reduce((count, index, i) => count + Number(predicted[i] === set.labels[index]), 0);
  return { ...plain, averaged: { views, accuracy: correct / indices.length } };
}

/** As `predict`, with the logits averaged over views of each image, in float64.
 *  @returns logits [N, C], row-major, of N = indices.length images.
 *  @throws as `predict` does. */
export async function predictViews(
  model: Model,
  set: ImageSet,
  views: ViewCount,
  indices: Uint32Array = rows(set.labels.length),
  signal?: AbortSignal,
): Promise<Float64Array> {
  const sum = new LogitSum(model, indices.length);
  await addViews(sum, viewsOf(views), { model, set, indices, signal });
  expectFinite(sum.logits);
  return sum.logits.map((logit) => logit / views);
}

interface Subject {
  readonly model: Model;
  readonly set: ImageSet;
  readonly indices: Uint32Array;
  readonly signal: AbortSignal | undefined;
}

async function addViews(
  sum: LogitSum,
  views: readonly View[],
  { model, set, indices, signal }: Subject,
): Promise<void> {
  for (const view of views) {
    const batches = forwardBatches(model, set, indices, signal, (batch) => batchOf(batch, view));
    for await (const { first } of batches) await sum.add(first);
  }
}

/** A batch in which every image is seen in the same view. */
function batchOf(indices: Uint32Array, { flip, shiftX, shiftY }: View): BatchPlan {
  const B = indices.length;
  return {
    indices,
    flip: new Uint8Array(B).fill(Number(flip)),
    shiftX: new Int8Array(B).fill(shiftX),
    shiftY: new Int8Array(B).fill(shiftY),
  };
}

/** The sum of the logits [N, C] of several views. */
class LogitSum {
  readonly #model: Model;
  readonly classes: number;
  readonly logits: Float64Array;

  constructor(model: Model, images: number) {
    this.#model = model;
    this.classes = model.logits.shape[1];
    this.logits = new Float64Array(images * this.classes);
  }

  /** Adds the logits in the model's tensors. @param first position of the first image of the batch. */
  async add(first: number): Promise<void> {
    const values = await this.#model.graph.backend.read(this.#model.logits.tensor);
    for (let i = 0; i < values.length; i++) this.logits[first * this.classes + i] += values[i];
  }
}
