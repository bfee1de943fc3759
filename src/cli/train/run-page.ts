import path from 'node:path';
import { UsageError } from '../../errors.ts';
import type { RunReport } from '../../report/report-data.ts';
import type { RunEvent, RunStarted } from '../../runs/events.ts';
import { RunDirectory } from '../../runs/run-directory.ts';
import type { Progress } from '../../training/progress.ts';
import type { TestMetrics } from '../../training/views.ts';
import { resumeCommand } from '../terminal/format.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { openInBrowser } from '../terminal/open.ts';
import { ownName } from '../terminal/own-name.ts';
import type { RunOptions } from './options.ts';
import type { Watch } from './watch.ts';

/** Longest wait for test results after Ctrl-C. */
const TEST_TIMEOUT_MS = 5000;

/** The HTML report of a run in training: `report.html` in its folder when it ends or is stopped, and with --watch a live
 *  page. */
export class RunPage {
  readonly #io: Io;
  readonly #opens: boolean;
  #watch: Watch | undefined;
  #hasFailed = false;
  #started: RunStarted | undefined;

  private constructor(io: Io, opens: boolean) {
    this.#io = io;
    this.#opens = opens;
  }

  /** @throws UsageError if there is no page to open; UserError if the port is taken. */
  static async begin(io: Io, { watch, open, save }: RunOptions): Promise<RunPage> {
    if (open && !save && watch === undefined) {
      throw new UsageError(
        '--open needs a report, but --no-save writes none; add --watch, or leave one of the two out',
      );
    }
    const page = new RunPage(io, open ?? false);
    if (watch === undefined) return page;
    const { Watch } = await import('./watch.ts');
    page.#watch = await Watch.start(watch, (error) => page.#noteFailure(error));
    return page;
  }

  async take(event: RunEvent): Promise<void> {
    if (event.type === 'run-started') this.#started = event;
    if (!this.#watch) return;
    try {
      await this.#watch.take(event);
    } catch (error) {
      this.#noteFailure(error as Error);
    }
    if (event.type !== 'run-started') return;
    this.#io.stderr.write(`${this.#watch.announcement}\n`);
    // Training does not wait for the browser.
    if (this.#opens) void openInBrowser(this.#io, this.#watch.url);
  }

  /** Writes and shows the final report. A failure prints a note and does not fail the run.
   *  @param test results of a finished run. @returns the file, if one was written. */
  async end(progress: Progress, signal: AbortSignal, test?: TestMetrics): Promise<string | undefined> {
    const { run } = this.#started!;
    if ((run === null && !this.#watch) || !progress.lastEpoch) return undefined;
    try {
      const report = await this.#collect(progress, test ? signal : AbortSignal.timeout(TEST_TIMEOUT_MS), test);
      this.#watch?.showEnd(report);
      if (run === null) return undefined;
      const { writeReport } = await import('../../report/write.ts');
      const file = path.join(run, 'report.html');
      await writeReport(file, [report]);
      if (this.#opens && !this.#watch) await openInBrowser(this.#io, path.resolve(file));
      return file;
    } catch (error) {
      printNote(this.#io, `cannot write the report: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Serves the live page until Ctrl-C. */
  async keepServing(signal: AbortSignal): Promise<void> {
    await this.#watch?.keepServing(this.#io, signal);
  }

  async close(): Promise<void> {
    await this.#watch?.close();
  }

  /** The page is not worth the run. */
  #noteFailure({ message }: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    printNote(this.#io, `the page of --watch failed: ${message}; training goes on`);
  }

  /** Collects the report, without test results if the signal aborts first. */
  async #collect(progress: Progress, signal: AbortSignal, test?: TestMetrics): Promise<RunReport> {
    const { model, config, dataset, run } = this.#started!;
    const { collectRun, imageResults } = await import('../../report/collect.ts');
    const collect = async (images: typeof dataset | null): Promise<RunReport> => {
      const trained = { model, dataset: images, test, signal };
      if (run !== null) {
        const report = await collectRun(await RunDirectory.open(run), progress, trained);
        return { ...report, resumeCommand: resumeCommand(run, ownName(this.#io.env)) };
      }
      const report = this.#watch!.report(test ? 'finished' : 'stopped');
      return { ...report, ...(await imageResults(config, dataset.classes, trained)) };
    };
    try {
      return await collect(dataset);
    } catch (error) {
      if (error !== signal.reason) throw error;
      return collect(null);
    }
  }
}
