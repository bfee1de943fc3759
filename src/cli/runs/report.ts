import path from 'node:path';
import { type Dataset, loadDataset } from '../../dataset/load.ts';
import { DataError, EXIT, UserError } from '../../errors.ts';
import { collectRun } from '../../report/collect.ts';
import type { RunReport } from '../../report/report-data.ts';
import { writeReport } from '../../report/write.ts';
import { loadModel, type RecordedRun, readRun } from '../../runs/open-run.ts';
import type { ViewCount } from '../../training/views.ts';
import type { BackendFlags } from '../inputs/backend.ts';
import { renderMessage } from '../inputs/field-names.ts';
import { expectFileName, parseOption, writeChosen } from '../inputs/option.ts';
import { differenceOf, type ImagePlace, imagePlaceOf, openBackendOf } from '../inputs/saved-run.ts';
import { VIEWS } from '../inputs/shared-options.ts';
import { resumeCommand } from '../terminal/format.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, printNote, printPath } from '../terminal/io.ts';
import { openInBrowser } from '../terminal/open.ts';
import { ownName } from '../terminal/own-name.ts';

export interface ReportOptions extends BackendFlags {
  readonly data?: string;
  readonly out?: string;
  readonly open?: true;
  readonly views?: string;
}

/** `nn-train report RUN…`: builds an HTML report of one run, or compares several, without those that have no completed
 *  epoch. Resolves to the exit code. */
export async function runReport(folders: readonly string[], options: ReportOptions, io: Io): Promise<number> {
  expectFileName('--out', options.out, ['.html', '.htm']);
  const views = parseOption('--views', options.views, VIEWS);
  return runUntilInterrupted(io, async (signal) => {
    const runs = await Promise.all(folders.map(readRun));
    const file = options.out ?? path.join(runs.length === 1 ? runs[0].directory.path : '', 'report.html');
    const images = new Images(io, dataFor(runs, options), signal);
    const reports: RunReport[] = [];
    for (const run of runs) {
      const report = await collect(run, { isOptional: runs.length > 1, images, views, options, io, signal });
      if (report) reports.push(report);
      else printNote(io, `${run.directory.path} has no completed epoch; left out of the comparison`);
    }
    if (reports.length === 0) {
      throw new UserError(
        'none of the runs has a completed epoch, so there is nothing to compare yet; train one for at least one epoch first',
      );
    }
    await writeChosen('--out', options.out === undefined, () => writeReport(file, reports));
    printPath(io, file);
    if (options.open) await openInBrowser(io, path.resolve(file));
    return EXIT.done;
  });
}

interface CollectOptions {
  /** Whether the run may be left out. */
  readonly isOptional: boolean;
  readonly images: Images;
  readonly views: ViewCount;
  readonly options: ReportOptions;
  readonly io: Io;
  readonly signal: AbortSignal;
}

/** Resolves to null if an optional run has no completed epoch. @throws UserError if another run has none. */
async function collect(
  run: RecordedRun,
  { isOptional, images, views, options, io, signal }: CollectOptions,
): Promise<RunReport | null> {
  const backend = await openBackendOf(run.record, options, io);
  try {
    const { model, progress } = await loadModel(run, backend, 'last');
    if (!progress.lastEpoch && isOptional) return null;
    const dataset = await images.of(run);
    const report = await collectRun(run.directory, progress, { model, dataset, views, signal });
    return { ...report, resumeCommand: resumeCommand(run.directory.path, ownName(io.env)) };
  } finally {
    backend.close();
  }
}

/** Path given as --data. It is for the runs on CIFAR-10; if there are none, each run refuses it. */
function dataFor(runs: readonly RecordedRun[], { data }: ReportOptions): (run: RecordedRun) => string | undefined {
  const isForSome = runs.some(({ record }) => record.dataset.name === 'cifar10');
  return ({ record }) => (isForSome && record.dataset.name !== 'cifar10' ? undefined : data);
}

/** Loads the images that runs were trained on, each set once. */
class Images {
  readonly #io: Io;
  readonly #dataFor: (run: RecordedRun) => string | undefined;
  readonly #signal: AbortSignal;
  readonly #loaded = new Map<string | undefined, Promise<Dataset>>();

  constructor(io: Io, dataFor: (run: RecordedRun) => string | undefined, signal: AbortSignal) {
    this.#io = io;
    this.#dataFor = dataFor;
    this.#signal = signal;
  }

  /** Resolves to null, with a note, if the images cannot be loaded. @throws DataError if --data names other images. */
  async of(run: RecordedRun): Promise<Dataset | null> {
    const data = this.#dataFor(run);
    try {
      const dataset = await this.#load(imagePlaceOf(run, { data }));
      const difference = differenceOf(run, dataset);
      if (difference === undefined) return dataset;
      throw new DataError(difference);
    } catch (error) {
      if (!(error instanceof DataError) || data !== undefined) throw error;
      printNote(this.#io, `${renderMessage(error.text, this.#io.env)}; the report has no test results`);
      return null;
    }
  }

  #load({ choice, path }: ImagePlace): Promise<Dataset> {
    // Any number of images is accepted here, because their hash is compared with that of the run.
    const trust = choice === 'cifar10';
    const loaded =
      this.#loaded.get(path) ??
      loadDataset({ choice, path, trust, env: this.#io.env, cwd: this.#io.cwd(), signal: this.#signal });
    this.#loaded.set(path, loaded);
    return loaded;
  }
}
