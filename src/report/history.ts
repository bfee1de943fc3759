import type { RunDirectory } from '../runs/run-directory.ts';
import type { EpochMetrics, Progress, StepRecord } from '../training/progress.ts';
import type { RunReport } from './report-data.ts';
import { StepDownsampler } from './step-downsampler.ts';

/** Course of a run, by epoch and by step, as a report shows it. */
export class RunHistory {
  readonly #epochs: EpochMetrics[] = [];
  readonly #steps = new StepDownsampler();
  #bestEpoch: number | null = null;

  /** Reads the files of a run up to its checkpoint, skipping damaged lines.
   *  @throws FileError if a file cannot be read. */
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

  /** The fields of a report that describe the course of the run. */
  get reportFields(): Pick<RunReport, 'epochs' | 'steps' | 'updateRatios' | 'bestEpoch' | 'seconds'> {
    return {
      epochs: [...this.#epochs],
      steps: this.#steps.series,
      updateRatios: this.#steps.updateRatios,
      bestEpoch: this.#bestEpoch,
      seconds: this.#epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  }
}
