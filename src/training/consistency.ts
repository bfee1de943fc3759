import type { Config } from '../config/config.ts';
import type { EpochResult, Progress } from './progress.ts';

/** Returns what the numbers of a progress contradict: each other, or the configuration; undefined if they are consistent.
 *  @param images trained on in an epoch; if unknown, the number that the completed epochs imply. */
export function contradictionIn(
  { step, epochImages, epochLoss, epochCorrect, lastEpoch, best, trainedImages }: Progress,
  { epochs, batchSize }: Pick<Config, 'epochs' | 'batchSize'>,
  images?: number,
): string | undefined {
  const done = lastEpoch?.epoch ?? 0;
  const perEpoch = images ?? (done > 0 ? (trainedImages - epochImages) / done : Infinity);
  const stepsFor = (count: number) => Math.ceil(count / batchSize);
  const isAtEnd = ({ epoch, step }: EpochResult) => step === epoch * stepsFor(perEpoch);
  const hasBest = lastEpoch !== null && lastEpoch.validation !== null;
  const rules: readonly (readonly [isKept: boolean, contradiction: string])[] = [
    [done <= epochs, `epoch ${done} is done, but epoch ${epochs} is the last of the configuration`],
    [
      done === 0
        ? trainedImages === epochImages
        : Number.isInteger(perEpoch) && perEpoch > 0 && trainedImages === done * perEpoch + epochImages,
      `${trainedImages} images after epoch ${done} and ${epochImages} images of the next${images ? `, with ${images} per epoch` : ''}`,
    ],
    [epochImages <= perEpoch, `${epochImages} images of an epoch that has ${perEpoch}`],
    [
      lastEpoch === null || isAtEnd(lastEpoch),
      `epoch ${done} ended at step ${lastEpoch?.step}, with ${perEpoch} images per epoch and ${batchSize} per step`,
    ],
    [
      step === (lastEpoch?.step ?? 0) + stepsFor(epochImages),
      `step ${step} is ${epochImages} images after step ${lastEpoch?.step ?? 0}, with ${batchSize} per step`,
    ],
    [epochCorrect <= epochImages, `${epochCorrect} of ${epochImages} images are classified correctly`],
    [epochImages > 0 || epochLoss === 0, `the loss of no images is ${epochLoss}`],
    [
      (best !== null) === hasBest,
      `the best epoch is ${best?.epoch ?? null}, the last epoch ${lastEpoch?.epoch ?? null}`,
    ],
    [
      best === null || (best.epoch <= done && best.validation !== null && isAtEnd(best)),
      `the best epoch is ${best?.epoch}, at step ${best?.step}; the last is ${done}, at step ${lastEpoch?.step}`,
    ],
  ];
  return rules.find(([isKept]) => !isKept)?.[1];
}
