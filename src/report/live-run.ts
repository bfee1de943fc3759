import { effectiveConfig } from '../config/resolve.ts';
import { imageCounts } from '../images.ts';
import type { RunStarted } from '../runs/events.ts';
import { RunDirectory } from '../runs/run-directory.ts';
import type { TrainingEvent } from '../training/progress.ts';
import { parametersOf } from './collect.ts';
import { RunHistory } from './history.ts';
import type { RunReport } from './report-data.ts';

/** Report of a run in progress, built from its events. */
export class LiveRun {
  readonly #started: RunStarted;
  readonly #history: RunHistory;

  private constructor(started: RunStarted, history: RunHistory) {
    this.#started = started;
    this.#history = history;
  }

  /** Starts with the history in the run directory, which a resumed run already has.
   *  @throws FileError if it cannot be read. */
  static async begin(started: RunStarted): Promise<LiveRun> {
    const { run, progress } = started;
    const history = run === null ? new RunHistory() : await RunHistory.read(await RunDirectory.open(run), progress);
    return new LiveRun(started, history);
  }

  addEvent(event: TrainingEvent): void {
    if (event.type === 'epoch-ended') {
      this.#history.addEpoch(event.metrics, event.isBest);
      return;
    }
    const { progress, loss, accuracy, learningRate, updateRatios } = event;
    const step = { step: progress.step, loss, accuracy, learningRate };
    this.#history.addStep(updateRatios ? { ...step, updateRatios } : step);
  }

  /** Returns the report so far, without the parts that need the test images. */
  report(state: RunReport['state']): RunReport {
    const { config, dataset, environment, model, run, name: title, trainImages } = this.#started;
    const { name, source, sha256, classes } = dataset;
    return {
      name: run ?? 'unsaved run',
      title: title ?? undefined,
      state,
      config: effectiveConfig(config),
      dataset: { name, source, sha256, images: imageCounts(dataset), classes },
      environment,
      parameters: parametersOf(model),
      stepsPerEpoch: Math.ceil(trainImages / config.batchSize),
      plannedEpochs: config.epochs,
      ...this.#history.reportFields,
      test: null,
      pictures: null,
      files: [],
    };
  }
}
