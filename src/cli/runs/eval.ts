import type { Dataset } from '../../dataset/load.ts';
import { DivergedError } from '../../errors.ts';
import type { OpenedRun } from '../../runs/open-run.ts';
import { evaluateViews, type TestMetrics } from '../../training/views.ts';
import { wilsonInterval } from '../../training/wilson.ts';
import { parseOption } from '../inputs/option.ts';
import { loadImagesOf, openModel, type WeightsFlags } from '../inputs/saved-run.ts';
import { type ImageFlags, VIEWS } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { standInLine } from '../terminal/format.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';

export interface EvalOptions extends WeightsFlags, ImageFlags {
  readonly views?: string;
  readonly json?: true;
}

/** `nn-train eval RUN`: evaluates a saved run on the test images. */
export async function runEval(folder: string, options: EvalOptions, io: Io): Promise<void> {
  const views = parseOption('--views', options.views, VIEWS);
  const saved = await openModel(folder, options, io);
  const { directory, model, backend } = saved;
  const dataset = await loadImagesOf(saved, { data: options.data, trust: options.trust, backend }, io);
  const test = await evaluateViews(model, dataset.test, views);
  backend.close();
  if (!Number.isFinite(test.loss)) {
    throw new DivergedError(
      `the loss of ${directory.path} is ${test.loss}: training diverged or its files were changed`,
    );
  }
  if (options.json) io.stdout.write(`${JSON.stringify(jsonOf(saved, dataset, test))}\n`);
  else io.stdout.write(`${linesOf(saved, dataset, test, io).join('\n')}\n`);
}

function jsonOf(
  { directory, weights, record, progress }: OpenedRun,
  dataset: Dataset,
  { loss, accuracy, averaged }: TestMetrics,
): object {
  const images = dataset.test.labels.length;
  return {
    model: record.config.model,
    dataset: dataset.name,
    seed: record.config.seed,
    run: directory.path,
    weights,
    epoch: progress.lastEpoch?.epoch ?? 0,
    images,
    test: {
      loss,
      accuracy,
      interval: intervalOf(accuracy, images),
      ...(averaged && { averaged: { ...averaged, interval: intervalOf(averaged.accuracy, images) } }),
    },
  };
}

function linesOf(
  { weights, progress }: OpenedRun,
  dataset: Dataset,
  { loss, accuracy, averaged }: TestMetrics,
  io: Io,
): string[] {
  const images = dataset.test.labels.length;
  const paint = painter(io.stdout, io.env);
  const accuracyOf = (share: number, of = '') => {
    const interval = format.interval(intervalOf(share, images));
    return `accuracy ${paint('green', format.percent(share))}${of} (${interval})`;
  };
  const layout = { indent: 7, width: textWidth(io.stdout), paint };
  const which = `${weights} weights (epoch ${progress.lastEpoch?.epoch ?? 0}, step ${format.integer(progress.step)})`;
  const over = averaged && accuracyOf(averaged.accuracy, format.overViews(averaged.views));
  return [
    ...format.labelled('test', `loss ${format.loss(loss)}, ${accuracyOf(accuracy)}`, layout),
    ...(over === undefined ? [] : format.labelled('views', over, layout)),
    ...format.labelled('', `on ${format.integer(images)} images, ${which}`, layout),
    ...(dataset.name === 'synthetic' ? format.wrap(standInLine(paint), layout.width) : []),
  ];
}

function intervalOf(accuracy: number, images: number): [low: number, high: number] {
  return wilsonInterval(Math.round(accuracy * images), images);
}
