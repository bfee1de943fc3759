import { effectiveConfig } from '../config/config.ts';
import { RunDirectory } from '../runs/run-directory.ts';
import type { RunStarted } from '../runs/train.ts';
import type { TrainingEvent } from '../training/progress.ts';
import { parametersOf } from './collect.ts';
import { RunHistory } from './history.ts';
import type { RunReport } from './report-data.ts';

/** A run that is under way, as its events tell it. */
export class LiveRun {
  readonly #started: RunStarted;
  readonly #history: RunHistory;

  private constructor(started: RunStarted, history: RunHistory) {
    this.#started = started;
    this.#history = history;
  }

  /** A resumed run has a past in its directory. @throws FileError if that cannot be read. */
  static async begin(started: RunStarted): Promise<LiveRun> {
    const { run, progress } = started;
    const history = run === null ? new RunHistory() : await RunHistory.read(await RunDirectory.open(run), progress);
    return new LiveRun(started, history);
  }

  take(event: TrainingEvent): void {
    if (event.type === 'epoch-ended') {
      this.#history.addEpoch(event.metrics, event.isBest);
      return;
    }
    const { progress, loss, accuracy, learningRate, updateRatios } = event;
    const step = { step: progress.step, loss, accuracy, learningRate };
    this.#history.addStep(updateRatios ? { ...step, updateRatios } : step);
  }

  /** What there is to say by now; what needs the test images is left out. */
  report(state: RunReport['state']): RunReport {
    const { config, dataset, environment, model, run, trainImages } = this.#started;
    const { name, source, sha256, classes } = dataset;
    return {
      name: run ?? 'a run that is not saved',
      state,
      config: effectiveConfig(config),
      dataset: { name, source, sha256, classes },
      environment,
      parameters: parametersOf(model),
      stepsPerEpoch: Math.ceil(trainImages / config.batchSize),
      plannedEpochs: config.epochs,
      ...this.#history.shown,
      test: null,
      pictures: null,
      files: [],
    };
  }
}
