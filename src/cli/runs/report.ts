import path from 'node:path';
import { type Dataset, loadDataset } from '../../dataset/load.ts';
import { DataError, EXIT, UsageError } from '../../errors.ts';
import { collectRun } from '../../report/collect.ts';
import type { RunReport } from '../../report/report-data.ts';
import { writeReport } from '../../report/write.ts';
import { loadRun, readRunRecord, type SavedRun } from '../../runs/record.ts';
import { RunDirectory } from '../../runs/run-directory.ts';
import { type BackendFlags, openBackend } from '../inputs/backend.ts';
import { sourceOf } from '../inputs/images.ts';
import { resumeCommand } from '../terminal/format.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import type { Io } from '../terminal/io.ts';
import { openInBrowser } from '../terminal/open.ts';

export interface ReportOptions extends BackendFlags {
  readonly data?: string;
  readonly out?: string;
  readonly open?: true;
}

/** `nn-train report RUN…`: builds an HTML report of one run, or compares several. Resolves to the exit code. */
export async function runReport(folders: readonly string[], options: ReportOptions, io: Io): Promise<number> {
  if (options.out === '') throw new UsageError('--out must name a file, got an empty string');
  const file = options.out ?? (folders.length === 1 ? path.join(folders[0], 'report.html') : 'report.html');
  return runUntilInterrupted(io, async (signal) => {
    const runs = await Promise.all(folders.map((folder) => RunDirectory.open(folder)));
    const images = new Images(io, options.data, signal);
    const reports: RunReport[] = [];
    for (const run of runs) reports.push(await collect(run, images, options, io, signal));
    await writeReport(file, reports);
    io.stdout.write(`${file}\n`);
    if (options.open) await openInBrowser(io, path.resolve(file));
    return EXIT.done;
  });
}

async function collect(
  run: RunDirectory,
  images: Images,
  options: ReportOptions,
  io: Io,
  signal: AbortSignal,
): Promise<RunReport> {
  const record = await readRunRecord(run);
  const backend = await openBackend(io, options, record.config.precision, record.environment.backend);
  try {
    const { model, progress } = await loadRun(run, backend, 'last', record);
    const dataset = await images.of(run, record.dataset);
    return { ...(await collectRun(run, progress, { model, dataset, signal })), resumeCommand: resumeCommand(run.path) };
  } finally {
    backend.close();
  }
}

/** Loads the images that runs were trained on, each set once. */
class Images {
  readonly #io: Io;
  readonly #data: string | undefined;
  readonly #signal: AbortSignal;
  readonly #loaded = new Map<string | undefined, Promise<Dataset>>();

  constructor(io: Io, data: string | undefined, signal: AbortSignal) {
    this.#io = io;
    this.#data = data;
    this.#signal = signal;
  }

  /** Resolves to null, with a note, if the images cannot be loaded. @throws DataError if --data names other images. */
  async of(run: RunDirectory, trainedOn: SavedRun['dataset']): Promise<Dataset | null> {
    try {
      const dataset = await this.#load(trainedOn.name, sourceOf(run, trainedOn, this.#data));
      if (dataset.sha256 === trainedOn.sha256) return dataset;
      throw new DataError(`${dataset.source} does not hold the images that ${run.path} was trained on`);
    } catch (error) {
      if (!(error instanceof DataError) || this.#data !== undefined) throw error;
      this.#io.stderr.write(`note: ${error.message}; the report has no test results\n`);
      return null;
    }
  }

  #load(name: Dataset['name'], source: string | undefined): Promise<Dataset> {
    const key = name === 'synthetic' ? name : source;
    const { env } = this.#io;
    const loaded =
      this.#loaded.get(key) ??
      loadDataset({ choice: name, path: source, env, cwd: this.#io.cwd(), signal: this.#signal });
    this.#loaded.set(key, loaded);
    return loaded;
  }
}
