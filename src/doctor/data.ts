import {
  BATCH_BYTES,
  BATCH_FILES,
  FILE_SHA256,
  isFullSet,
  RECORDS_PER_FILE,
  sha256Of,
  writeRecord,
} from '../dataset/cifar10.ts';
import type { Dataset } from '../dataset/load.ts';
import { classCounts, type Moments, momentsOf, scaledMoments } from '../dataset/statistics.ts';
import { integer, plural } from '../format.ts';
import { IMAGE_BYTES, type ImageSet, imageAt, imageCounts } from '../images.ts';
import { type Duplicates, findDuplicates, type Pair } from './duplicates.ts';
import { type Finding, percent } from './finding.ts';

// Checks of the images and labels themselves.

const PUBLISHED = BATCH_FILES.map((name) => FILE_SHA256[name]);

/** Largest ratio of the largest class of the training set to the smallest. */
const MAX_IMBALANCE = 1.5;
/** Bounds on the scaled pixels. In CIFAR-10 their mean is −0.1 and their standard deviation 1.0. */
const MAX_ABS_MEAN = 0.5;
const DEVIATION = { min: 0.5, max: 2 } as const;

const OTHER_IMAGES_ADVICE =
  'compare results within this copy only, or use the official archive (cifar-10-binary.tar.gz)';

/** Compares a copy of CIFAR-10 with the published one, file by file. @param published SHA-256 of the six files. */
export function checkOrigin(dataset: Dataset, published: readonly string[] = PUBLISHED): Finding {
  const name = 'origin';
  if (dataset.name !== 'cifar10') {
    return {
      name,
      verdict: 'ok',
      evidence: `generated stand-in images, not CIFAR-10: ${sizes(dataset)}`,
      advice: null,
      numbers: { known: null, files: null },
    };
  }
  if (!isFullSet(imageCounts(dataset))) {
    return {
      name,
      verdict: 'warning',
      evidence: `not the whole of CIFAR-10, or more: ${sizes(dataset)}; wanted 50,000 and 10,000`,
      advice: OTHER_IMAGES_ADVICE,
      numbers: { known: null, files: null },
    };
  }
  const known = fileHashes(dataset).filter((hash, i) => hash === published[i]).length;
  const files = BATCH_FILES.length;
  const numbers = { known, files };
  if (known === files) {
    const evidence = `all ${files} files have the published SHA-256: ${sizes(dataset)}`;
    return { name, verdict: 'ok', evidence, advice: null, numbers };
  }
  if (known === 0) {
    return {
      name,
      verdict: 'warning',
      evidence: `none of the ${files} files has the published SHA-256: re-encoded, reordered or other images`,
      advice: OTHER_IMAGES_ADVICE,
      numbers,
    };
  }
  return {
    name,
    verdict: 'bad',
    evidence: `${files - known} of the ${files} files differ from the published ones`,
    advice: 'a file was damaged or changed; get the official archive (cifar-10-binary.tar.gz) again',
    numbers,
  };
}

function sizes({ train, test }: Dataset): string {
  return `${plural(train.labels.length, 'training image')}, ${plural(test.labels.length, 'test image')}`;
}

/** Returns the SHA-256 of the six files, rebuilt from the images and labels. */
export function fileHashes({ train, test }: Dataset): string[] {
  return BATCH_FILES.map((_, file) => {
    const [set, first] = file < BATCH_FILES.length - 1 ? [train, file * RECORDS_PER_FILE] : [test, 0];
    const records = new Uint8Array(BATCH_BYTES);
    for (let i = 0; i < RECORDS_PER_FILE && first + i < set.labels.length; i++) {
      writeRecord(records, i, { label: set.labels[first + i], image: imageAt(set.images, first + i) });
    }
    return sha256Of(records);
  });
}

/** Checks that every label names a class, and that all classes have about the same number of images. */
export function checkClasses({ train, test, classes }: Dataset): Finding {
  const name = 'classes';
  const [ofTrain, ofTest] = [train, test].map(({ labels }) => classCounts(labels, classes.length));
  const invalid = [train, test].reduce((sum, { labels }) => sum + outOfRange(labels, classes.length), 0);
  const [smallest, largest] = [Math.min(...ofTrain), Math.max(...ofTrain)];
  const numbers = { outOfRange: invalid, train: ofTrain, test: ofTest };
  if (invalid > 0) {
    return {
      name,
      verdict: 'bad',
      evidence: `${plural(invalid, 'label')} outside 0 to ${classes.length - 1}`,
      advice: 'the labels are damaged or belong to another dataset; fix them before anything else',
      numbers,
    };
  }
  const evidence = `${range(ofTrain)} training and ${range(ofTest)} test images of each of ${classes.length} classes`;
  const missing = classes.filter((_, c) => ofTrain[c] === 0 || ofTest[c] === 0);
  if (missing.length > 0) {
    const advice = `there are no images of ${missing.join(', ')}: a class that is missing from training cannot be learned, one missing from the test set cannot be tested`;
    return { name, verdict: 'bad', evidence, advice, numbers };
  }
  if (largest > MAX_IMBALANCE * smallest) {
    const advice = 'the classes differ in size: compare accuracies with the share of the largest class, not with 1/C';
    return { name, verdict: 'warning', evidence, advice, numbers };
  }
  return { name, verdict: 'ok', evidence, advice: null, numbers };
}

function outOfRange(labels: Uint8Array, classes: number): number {
  return labels.reduce((sum, label) => sum + Number(label >= classes), 0);
}

function range(counts: readonly number[]): string {
  const [min, max] = [Math.min(...counts), Math.max(...counts)].map(integer);
  return min === max ? min : `${min} to ${max}`;
}

/** Looks for repeated images, above all for test images in the training set. */
export function checkDuplicates(dataset: Dataset): Finding {
  const name = 'duplicates';
  const found = findDuplicates(dataset);
  const { train, test, between } = found;
  const contradicting = [...train, ...test, ...between].filter(({ sameLabel }) => !sameLabel).length;
  const numbers = { train: train.length, test: test.length, between: between.length, contradicting };
  if (train.length + test.length + between.length === 0) {
    return { name, verdict: 'ok', evidence: 'no two images are equal, byte for byte', advice: null, numbers };
  }
  const evidence = duplicateEvidence(found, contradicting);
  if (between.length > 0) {
    const share = percent(between.length / dataset.test.labels.length);
    const advice = `${share} of the test images can be memorized in training; remove them from the training set (first: ${example(between)})`;
    return { name, verdict: 'bad', evidence, advice, numbers };
  }
  const advice =
    'repeated images count several times' +
    (train.length > 0 ? ' and can be in both training and validation' : '') +
    (contradicting > 0 ? '; no model can give one image two labels' : '') +
    '; keep one of each';
  return { name, verdict: 'warning', evidence, advice, numbers };
}

function duplicateEvidence({ train, test, between }: Duplicates, contradicting: number): string {
  const parts = [
    between.length > 0 ? `${plural(between.length, 'test image is', 'test images are')} in the training set` : '',
    train.length > 0 ? `${plural(train.length, 'training image repeats', 'training images repeat')} another` : '',
    test.length > 0 ? `${plural(test.length, 'test image repeats', 'test images repeat')} another` : '',
    contradicting > 0 ? `${integer(contradicting)} of them with a different label` : '',
  ];
  return parts.filter(Boolean).join(', ');
}

function example([{ row, first }]: readonly Pair[]): string {
  return `test image ${row} is training image ${first}`;
}

/** Checks the pixels: no image of a single colour, and the mean and deviation that the input scaling assumes. */
export function checkPixels({ train, test }: Dataset): Finding {
  const name = 'pixels';
  const constant = countConstant(train) + countConstant(test);
  const { mean, deviation } = pixelMoments(train);
  const numbers = { constant, mean, deviation };
  const evidence =
    `scaled to (p − 128)/64: mean ${mean.toFixed(2)}, standard deviation ${deviation.toFixed(2)}; ` +
    (constant === 0
      ? 'no image has a single colour'
      : `${plural(constant, 'image has', 'images have')} a single colour`);
  if (deviation === 0) {
    return {
      name,
      verdict: 'bad',
      evidence,
      advice: 'every pixel is the same: there is nothing to learn from',
      numbers,
    };
  }
  const advice = [
    constant > 0 ? 'images of a single colour carry no information; find out where they come from' : '',
    Math.abs(mean) > MAX_ABS_MEAN || deviation < DEVIATION.min || deviation > DEVIATION.max
      ? 'the default learning rates assume pixels of mean 0 and standard deviation 1; check whether the images are too dark, too bright or low in contrast'
      : '',
  ];
  const isOk = advice.every((part) => part === '');
  return {
    name,
    verdict: isOk ? 'ok' : 'warning',
    evidence,
    advice: isOk ? null : advice.filter(Boolean).join('; '),
    numbers,
  };
}

function countConstant({ images, labels }: ImageSet): number {
  let constant = 0;
  for (let row = 0; row < labels.length; row++) {
    const image = imageAt(images, row);
    if (image.every((byte) => byte === image[0])) constant++;
  }
  return constant;
}

/** Mean and standard deviation of the scaled pixels, from at most 5,000 images spread over the set. */
function pixelMoments({ images, labels }: ImageSet): Moments {
  const histogram = new Float64Array(256);
  const stride = Math.ceil(labels.length / 5000);
  for (let row = 0; row < labels.length; row += stride) {
    const image = imageAt(images, row);
    for (let i = 0; i < IMAGE_BYTES; i++) histogram[image[i]]++;
  }
  return scaledMoments(momentsOf(histogram));
}
