import { DivergedError } from '../../errors.ts';
import { evaluate } from '../../training/evaluate.ts';
import { wilsonInterval } from '../../training/wilson.ts';
import { loadImagesOf, openModel, type WeightsFlags } from '../inputs/saved-run.ts';
import type { ImageFlags } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { standInLine } from '../terminal/format.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';

export interface EvalOptions extends WeightsFlags, ImageFlags {
  readonly json?: true;
}

/** `nn-train eval RUN`: evaluates a saved run on the test images. */
export async function runEval(folder: string, options: EvalOptions, io: Io): Promise<void> {
  const saved = await openModel(folder, options, io);
  const { directory, weights, model, record, progress, backend } = saved;
  const dataset = await loadImagesOf(saved, { data: options.data, trust: options.trust, backend }, io);
  const images = dataset.test.labels.length;
  const test = await evaluate(model, dataset.test);
  backend.close();
  if (!Number.isFinite(test.loss)) {
    throw new DivergedError(
      `the loss of ${directory.path} is ${test.loss}: training diverged or its files were changed`,
    );
  }

  const epoch = progress.lastEpoch?.epoch ?? 0;
  const [low, high] = wilsonInterval(Math.round(test.accuracy * images), images);
  if (options.json) {
    const result = {
      model: record.config.model,
      dataset: dataset.name,
      seed: record.config.seed,
      run: directory.path,
      weights,
      epoch,
      images,
      test: { ...test, interval: [low, high] },
    };
    io.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const paint = painter(io.stdout, io.env);
  const accuracy = paint('green', format.percent(test.accuracy));
  const width = textWidth(io.stdout);
  const layout = { indent: 7, width, paint };
  const interval = `(95 % interval ${(100 * low).toFixed(2)} to ${format.percent(high)})`;
  const which = `${weights} weights (epoch ${epoch}, step ${format.integer(progress.step)})`;
  const lines = [
    ...format.labelled('test', `loss ${format.loss(test.loss)}, accuracy ${accuracy} ${interval}`, layout),
    ...format.labelled('', `on ${format.integer(images)} images, ${which}`, layout),
  ];
  if (dataset.name === 'synthetic') lines.push(...format.wrap(standInLine(paint), width));
  io.stdout.write(`${lines.join('\n')}\n`);
}
