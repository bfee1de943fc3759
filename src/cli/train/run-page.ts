import path from 'node:path';
import { UsageError } from '../../errors.ts';
import type { RunReport } from '../../report/report-data.ts';
import { RunDirectory } from '../../runs/run-directory.ts';
import type { RunEvent, RunStarted } from '../../runs/train.ts';
import type { Metrics } from '../../training/evaluate.ts';
import type { Progress } from '../../training/progress.ts';
import { resumeCommand } from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';
import { openInBrowser } from '../terminal/open.ts';
import type { RunOptions } from './options.ts';
import type { Watch } from './watch.ts';

/** Whoever presses Ctrl-C does not wait longer than that for answers on the test images. */
const PATIENCE_MS = 5000;

/** The page of a run that is trained: `report.html` in its folder once it has ended or was stopped, and with --watch the
 *  same page while it trains. */
export class RunPage {
  readonly #io: Io;
  readonly #opens: boolean;
  readonly #watch: Watch | undefined;
  #started: RunStarted | undefined;

  private constructor(io: Io, opens: boolean, watch: Watch | undefined) {
    this.#io = io;
    this.#opens = opens;
    this.#watch = watch;
  }

  /** @throws UsageError if there would be no page to open; UserError if there is no port for the page. */
  static async begin(io: Io, { watch, open, save }: RunOptions): Promise<RunPage> {
    if (open && !save && watch === undefined) {
      throw new UsageError(
        '--open has nothing to open: with --no-save there is no report; add --watch, or leave one out',
      );
    }
    if (watch === undefined) return new RunPage(io, open ?? false, undefined);
    const { Watch } = await import('./watch.ts');
    return new RunPage(io, open ?? false, await Watch.start(watch));
  }

  async take(event: RunEvent): Promise<void> {
    if (event.type === 'run-started') this.#started = event;
    if (!this.#watch) return;
    await this.#watch.take(event);
    if (event.type !== 'run-started') return;
    this.#io.stderr.write(`${this.#watch.announcement}\n`);
    // Training does not wait for a browser.
    if (this.#opens) void openInBrowser(this.#io, this.#watch.url);
  }

  /** Saves and shows the page of a run as it ended: a failure is said, and costs nothing but the page.
   *  @param test what the run came to, if it came to its end. @returns the file, if there is one. */
  async end(progress: Progress, signal: AbortSignal, test?: Metrics): Promise<string | undefined> {
    const { run } = this.#started!;
    if ((run === null && !this.#watch) || !progress.lastEpoch) return undefined;
    try {
      const report = await this.#collect(progress, test ? signal : AbortSignal.timeout(PATIENCE_MS), test);
      this.#watch?.showEnd(report);
      if (run === null) return undefined;
      const { writeReport } = await import('../../report/write.ts');
      const file = path.join(run, 'report.html');
      await writeReport(file, [report]);
      if (this.#opens && !this.#watch) await openInBrowser(this.#io, path.resolve(file));
      return file;
    } catch (error) {
      this.#io.stderr.write(`note: the report could not be written: ${(error as Error).message}\n`);
      return undefined;
    }
  }

  /** Leaves the live page there for whoever looks at it, until Ctrl-C. */
  async linger(signal: AbortSignal): Promise<void> {
    await this.#watch?.linger(this.#io, signal);
  }

  async close(): Promise<void> {
    await this.#watch?.close();
  }

  /** Without the answers on the test images, if the signal does not leave the time for them. */
  async #collect(progress: Progress, signal: AbortSignal, test?: Metrics): Promise<RunReport> {
    const { model, dataset, run } = this.#started!;
    const { collectRun, imageResults } = await import('../../report/collect.ts');
    const collect = async (images: typeof dataset | null): Promise<RunReport> => {
      const trained = { model, dataset: images, test, signal };
      if (run !== null) {
        const report = await collectRun(await RunDirectory.open(run), progress, trained);
        return { ...report, resumeCommand: resumeCommand(run) };
      }
      const report = this.#watch!.report(test ? 'finished' : 'stopped');
      return { ...report, ...(await imageResults(dataset.classes, trained)) };
    };
    try {
      return await collect(dataset);
    } catch (error) {
      if (error !== signal.reason) throw error;
      return collect(null);
    }
  }
}
