import type { Dataset } from '../dataset/load.ts';
import { type ImageSet, imageAt } from '../images.ts';
import type { Model } from '../models/model.ts';
import { pngDataUrl } from '../pictures/encode.ts';
import { cifarPixels } from '../pictures/template.ts';
import { rows } from '../training/batches.ts';
import { predict, predictedClasses, softmaxRows } from '../training/predict.ts';
import { evaluateViews, type TestMetrics, type ViewCount } from '../training/views.ts';
import { wilsonInterval } from '../training/wilson.ts';
import type { TestReport } from './report-data.ts';

const MAX_MISTAKES = 30;

interface TestOptions {
  readonly metrics?: TestMetrics | undefined;
  readonly views?: ViewCount | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Evaluates a model on the test images.
 *
 *  @param metrics of the model on these images, if already computed. @param views to compute them over otherwise.
 *  @throws the signal's reason, once it is aborted. */
export async function testReport(
  model: Model,
  { test, classes }: Pick<Dataset, 'test' | 'classes'>,
  { metrics, views = 1, signal }: TestOptions = {},
): Promise<TestReport> {
  const indices = rows(test.labels.length);
  const { loss, accuracy, averaged } = metrics ?? (await evaluateViews(model, test, views, indices, signal));
  const logits = await predict(model, test, indices, signal);
  const C = classes.length;
  const predicted = predictedClasses(logits, C);
  const confusion = confusionOf(test.labels, predicted, C);
  const correct = confusion.reduce((sum, row, label) => sum + row[label], 0);
  const images = indices.length;
  return {
    loss,
    accuracy,
    images,
    correct,
    interval: wilsonInterval(correct, images),
    ...(averaged && {
      averaged: { ...averaged, interval: wilsonInterval(Math.round(averaged.accuracy * images), images) },
    }),
    confusion,
    perClass: confusion.flatMap((row, label) => {
      const images = row.reduce((sum, count) => sum + count, 0);
      if (images === 0) return [];
      const correct = row[label];
      return [{ name: classes[label], images, correct, interval: wilsonInterval(correct, images) }];
    }),
    mistakes: mistakesOf(test, predicted, softmaxRows(logits, C), classes),
  };
}

/** Returns the confusion matrix [C][C]: the number of images of the row's class predicted as the column's class. */
function confusionOf(labels: Uint8Array, predicted: Uint8Array, C: number): number[][] {
  const confusion = Array.from({ length: C }, () => new Array<number>(C).fill(0));
  for (const [i, label] of labels.entries()) confusion[label][predicted[i]]++;
  return confusion;
}

/** Returns the incorrect predictions with the highest probability, highest first. */
function mistakesOf(
  { images, labels }: ImageSet,
  predicted: Uint8Array,
  probabilities: Float64Array,
  classes: readonly string[],
): TestReport['mistakes'] {
  const probabilityOf = (index: number, label: number) => probabilities[index * classes.length + label];
  return Array.from(rows(labels.length))
    .filter((index) => predicted[index] !== labels[index])
    .sort((a, b) => probabilityOf(b, predicted[b]) - probabilityOf(a, predicted[a]) || a - b)
    .slice(0, MAX_MISTAKES)
    .map((index) => ({
      picture: pngDataUrl(cifarPixels(imageAt(images, index))),
      index,
      label: classes[labels[index]],
      predicted: classes[predicted[index]],
      probability: probabilityOf(index, predicted[index]),
      labelProbability: probabilityOf(index, labels[index]),
    }));
}
