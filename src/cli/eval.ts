import { UsageError } from '../errors.ts';
import { rows } from '../training/batches.ts';
import { evaluate } from '../training/evaluation.ts';
import { RunDirectory } from '../training/run-directory.ts';
import { loadRun, readRunRecord } from '../training/saved-run.ts';
import { type BackendFlags, openBackend } from './backend.ts';
import { load, sourceOf } from './dataset.ts';
import * as format from './format.ts';
import { type Io, painter } from './io.ts';
import { standInLine } from './run-reporter.ts';

export interface EvalOptions extends BackendFlags {
  readonly weights: string;
  readonly data?: string;
  readonly json?: true;
}

/** `nn-train eval RUN`: loss and accuracy of a saved run on the test images. */
export async function runEval(folder: string, options: EvalOptions, io: Io): Promise<void> {
  const { weights } = options;
  if (weights !== 'last' && weights !== 'best') {
    throw new UsageError(`--weights must be one of last, best, got ${weights}`);
  }
  const run = await RunDirectory.open(folder);
  const { config, environment } = await readRunRecord(run);
  const backend = await openBackend(io, options, config.precision, environment.backend);
  const { model, record, progress } = await loadRun(run, backend, weights);
  const choice = record.dataset.name;
  const path = sourceOf(run, record.dataset, options.data);
  const dataset = await load(io, { choice, path, backend });
  const images = dataset.test.labels.length;
  const test = await evaluate(model, dataset.test, rows(images));
  backend.close();

  const epoch = progress.lastEpoch?.epoch ?? 0;
  if (options.json) {
    const { config } = record;
    const result = {
      model: config.model,
      dataset: dataset.name,
      seed: config.seed,
      run: run.path,
      weights,
      epoch,
      images,
      test,
    };
    io.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const paint = painter(io.stdout, io.env);
  const lines = [
    `${paint('bold', 'test ')}  loss ${format.loss(test.loss)}, accuracy ${paint('green', format.percent(test.accuracy))} ` +
      `on ${format.integer(images)} images, ${weights} weights (epoch ${epoch}, step ${format.integer(progress.step)})`,
  ];
  if (dataset.sha256 !== record.dataset.sha256)
    lines.push('note   these are not the images that the run was trained with');
  if (dataset.name === 'synthetic') lines.push(standInLine(paint));
  io.stdout.write(`${lines.join('\n')}\n`);
}
