import type { SingleBar } from 'cli-progress';
import type { RunStarted } from '../../runs/events.ts';
import type { TrainingEvent } from '../../training/progress.ts';
import { makeBar } from '../terminal/bar.ts';
import * as format from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';

/** The progress bar within an epoch, if stderr is a terminal. */
export class EpochBar {
  readonly #io: Io;
  #isShown: boolean;
  #bar: SingleBar | undefined;

  constructor(io: Io, { quiet = false, progress }: { readonly quiet?: boolean; readonly progress: boolean }) {
    this.#io = io;
    this.#isShown = progress && !quiet && io.stderr.isTTY === true;
  }

  /** @param label in front of the epoch. */
  draw(
    { progress, times, loss }: Extract<TrainingEvent, { type: 'step' }>,
    { config, trainImages }: RunStarted,
    label = '',
  ): void {
    if (!this.#isShown) return;
    const { epochImages, trainedImages, lastEpoch } = progress;
    if (!this.#bar) {
      const epoch = `${(lastEpoch?.epoch ?? 0) + 1}/${config.epochs}`.padStart(7);
      const { texts, barsize } = barLayout(this.#io.stderr.columns - label.length);
      this.#bar = makeBar(this.#io.stderr, `${label}${epoch}  {bar} ${texts}`, { barsize });
      this.#bar.start(trainImages, 0, { loss: '', rate: '', epochLeft: '', runLeft: '' });
    }
    const runImages = (config.epochs - (lastEpoch?.epoch ?? 0)) * trainImages - epochImages;
    this.#bar.update(epochImages, {
      loss: format.loss(loss),
      rate: format.integer(epochImages / times.epochTraining),
      epochLeft: format.timeLeft(((trainImages - epochImages) * times.epochTraining) / epochImages),
      // With validation.
      runLeft: format.timeLeft((runImages * times.all) / trainedImages),
    });
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** Removes the bar permanently. */
  close(): void {
    this.#isShown = false;
    this.clear();
  }
}

/** The texts beside the bar, and its length, in a terminal of some width. */
function barLayout(width: number): { readonly texts: string; readonly barsize: number } {
  const share = '{percentage} %';
  if (width < 60) return { texts: `${share}  {runLeft} left`, barsize: 7 };
  if (width < 80) return { texts: `${share}  loss {loss}  {runLeft} left`, barsize: 10 };
  const texts = `${share}  loss {loss}  {epochLeft} left, {runLeft} of the run`;
  return width < 110 ? { texts, barsize: 16 } : { texts: `${texts}  {rate} images/s`, barsize: 24 };
}
