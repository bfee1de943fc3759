import * as v from 'valibot';
import { count, finite, ordinal, share } from '../documents/schema.ts';

// The records of a training, as they are saved and read again. progress.ts has their types for modules that read no file.

const notNegative = v.pipe(finite, v.minValue(0, 'a number ≥ 0'));

export const METRICS = v.pipe(
  v.object({
    /** Mean over the images; in nats for cross-entropy. */
    loss: finite,
    /** Share of images whose highest logit is that of their label, in [0, 1]. */
    accuracy: share,
  }),
  v.readonly(),
);

const EPOCH_FIELDS = {
  /** Counted from 1. */
  epoch: ordinal,
  /** Updates since the start of the run. */
  step: ordinal,
  /** Mean over the training images, as trained on (with augmentation, dropout and label smoothing) and before the update of
   *  each batch. */
  train: METRICS,
  /** At the end of the epoch, on the unmodified validation images; null without validation images. */
  validation: v.nullable(METRICS),
  /** Learning rate of the last step. */
  learningRate: notNegative,
};

export const EPOCH_RESULT = v.pipe(v.object(EPOCH_FIELDS), v.readonly());

export const EPOCH_METRICS = v.pipe(
  v.object({
    ...EPOCH_FIELDS,
    /** Training only. */
    imagesPerSecond: notNegative,
    /** Training and validation. */
    seconds: notNegative,
  }),
  v.readonly(),
);

export const STEP_RECORD = v.pipe(
  v.object({
    /** Counted from 1. */
    step: ordinal,
    /** Of the batch, before the update. */
    loss: finite,
    accuracy: share,
    learningRate: notNegative,
    /** ‖ΔW‖₂/‖W‖₂ by name of the weight matrix; only for the steps in which it was measured. */
    updateRatios: v.exactOptional(v.pipe(v.record(v.string(), finite), v.readonly())),
  }),
  v.readonly(),
);

export const PROGRESS = v.pipe(
  v.object({
    /** Updates since the start of the run. */
    step: count,
    /** Sums over the images trained on in the current epoch; 0 between epochs. */
    epochImages: count,
    epochLoss: finite,
    epochCorrect: count,
    /** The last completed epoch; null before there is one. */
    lastEpoch: v.nullable(EPOCH_RESULT),
    /** The completed epoch with the highest validation accuracy, then the lowest loss, then the first; null without validation. */
    best: v.nullable(EPOCH_RESULT),
    /** Images trained on since the start of the run, over all epochs. */
    trainedImages: count,
  }),
  v.readonly(),
);

export const SCHEDULES = v.pipe(
  v.array(v.pipe(v.object({ step: count, epochs: ordinal }), v.readonly())),
  v.check(
    (spans) => spans[0]?.step === 0 && spans.every(({ step }, i) => i === 0 || step > spans[i - 1].step),
    'schedules from step 0 on, in order',
  ),
  v.readonly(),
);

export const TIMES = v.pipe(
  v.object({
    /** Steps of the current epoch; 0 between epochs. */
    epochTraining: notNegative,
    /** Steps of the whole run. */
    training: notNegative,
    /** Steps and validation of the whole run. */
    all: notNegative,
  }),
  v.readonly(),
);
