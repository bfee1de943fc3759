import { appendFileSync } from 'node:fs';
import { effectiveConfig } from '../../config/config.ts';
import { fileError } from '../../files.ts';
import type { RunEvent } from '../../runs/events.ts';

/** Appends the start, the epochs and the end of a run to a file of JSON lines. Every line names the model, the dataset, the
 *  seed and the run, so that many runs can share one file. */
export class RunLog {
  readonly #file: string;
  #run: object = {};

  /** @throws FileError if the file cannot be written, before training starts. */
  constructor(file: string) {
    this.#file = file;
    this.#write('');
  }

  /** @throws FileError if the file cannot be written. */
  write(event: RunEvent): void {
    switch (event.type) {
      case 'run-started': {
        const { config, dataset, environment, parameters, trainImages, validationImages, run, progress } = event;
        this.#run = { model: config.model, dataset: dataset.name, seed: config.seed, run };
        const images = { train: trainImages, validation: validationImages, test: dataset.test.labels.length };
        this.#append(event.type, {
          step: progress.step,
          images,
          parameters,
          config: effectiveConfig(config),
          environment,
        });
        return;
      }
      case 'epoch-ended':
        this.#append(event.type, { ...event.metrics, isBest: event.isBest });
        return;
      case 'run-ended':
        this.#append(event.type, event.result);
        return;
    }
  }

  #append(type: RunEvent['type'], fields: object): void {
    this.#write(`${JSON.stringify({ type, time: new Date().toISOString(), ...this.#run, ...fields })}\n`);
  }

  #write(text: string): void {
    try {
      appendFileSync(this.#file, text);
    } catch (error) {
      throw fileError(`cannot write the log ${this.#file}`, error);
    }
  }
}
