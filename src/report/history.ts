import type { RunDirectory } from '../runs/run-directory.ts';
import type { EpochMetrics, Progress, StepRecord } from '../training/progress.ts';
import type { RunReport } from './report-data.ts';
import { StepThinner } from './series.ts';

/** What a run came to, epoch by epoch and step by step. */
export class RunHistory {
  readonly #epochs: EpochMetrics[] = [];
  readonly #steps = new StepThinner();
  #bestEpoch: number | null = null;

  /** From the files of a run, up to where its checkpoint stands; damaged lines are left out.
   *  @throws FileError if one of them cannot be read. */
  static async read(run: RunDirectory, { step, lastEpoch, best }: Progress): Promise<RunHistory> {
    const history = new RunHistory();
    for (const metrics of await run.metrics()) {
      if (metrics.epoch <= (lastEpoch?.epoch ?? 0)) history.addEpoch(metrics, metrics.epoch === best?.epoch);
    }
    for (const record of await run.steps()) if (record.step <= step) history.addStep(record);
    return history;
  }

  addEpoch(metrics: EpochMetrics, isBest: boolean): void {
    this.#epochs.push(metrics);
    if (isBest) this.#bestEpoch = metrics.epoch;
  }

  addStep(record: StepRecord): void {
    this.#steps.add(record);
  }

  /** As a report shows it. */
  get shown(): Pick<RunReport, 'epochs' | 'steps' | 'updateRatios' | 'bestEpoch' | 'seconds'> {
    return {
      epochs: [...this.#epochs],
      steps: this.#steps.series,
      updateRatios: this.#steps.updateRatios,
      bestEpoch: this.#bestEpoch,
      seconds: this.#epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  }
}
