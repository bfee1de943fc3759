import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLASSES, decodeBatches } from '../../src/dataset/cifar10.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { checkClasses, checkDuplicates, checkOrigin, checkPixels, fileHashes } from '../../src/doctor/data.ts';
import { allocateImageSet, type ImageSet } from '../../src/images.ts';
import { batchFile, NAMES } from '../support/cifar10.ts';
import { randomImageSet } from '../support/images.ts';

function datasetOf(train: ImageSet, test: ImageSet): Dataset {
  return { name: 'cifar10', source: 'a test', classes: CLASSES, train, test, sha256: '' };
}

/** 200 training and 100 test images of noise, in balanced classes. */
function validDataset(): Dataset {
  return datasetOf(randomImageSet(200, 'train'), randomImageSet(100, 'test'));
}

function copyImage(from: ImageSet, row: number, to: ImageSet, target: number): void {
  to.images.set(from.images.subarray(row * 3072, (row + 1) * 3072), target * 3072);
}

describe('duplicates', () => {
  it('passes a dataset without any', () => {
    expect(checkDuplicates(validDataset())).toMatchObject({
      verdict: 'ok',
      numbers: { train: 0, test: 0, between: 0 },
    });
  });

  it('between test and training are bad, and the first is named', () => {
    const dataset = validDataset();
    copyImage(dataset.train, 150, dataset.test, 7);
    const finding = checkDuplicates(dataset);
    expect(finding).toMatchObject({ verdict: 'bad', numbers: { train: 0, test: 0, between: 1, contradicting: 1 } });
    expect(finding.evidence).toContain('1 test image is in the training set');
    expect(finding.advice).toContain('test image 7 is training image 150');
  });

  it('within a set are a warning, and each repetition counts', () => {
    const dataset = validDataset();
    for (const row of [20, 30]) copyImage(dataset.train, 10, dataset.train, row);
    copyImage(dataset.test, 1, dataset.test, 2);
    const finding = checkDuplicates(dataset);
    expect(finding).toMatchObject({ verdict: 'warning', numbers: { train: 2, test: 1, between: 0, contradicting: 1 } });
  });

  it('must be equal in every byte', () => {
    const dataset = validDataset();
    copyImage(dataset.train, 10, dataset.test, 5);
    dataset.test.images[5 * 3072 + 3071] ^= 1;
    expect(checkDuplicates(dataset).verdict).toBe('ok');
  });
});

describe('classes', () => {
  it('are checked for balance and missing classes', () => {
    expect(checkClasses(validDataset()).verdict).toBe('ok');
    const unbalanced = validDataset();
    for (let row = 0; row < 100; row += 10) unbalanced.train.labels[row] = 1;
    expect(checkClasses(unbalanced)).toMatchObject({
      verdict: 'warning',
      evidence: expect.stringContaining('10 to 30'),
    });
    const missing = validDataset();
    for (let row = 3; row < 100; row += 10) missing.test.labels[row] = 4;
    expect(checkClasses(missing)).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('cat') });
  });

  it('are checked for labels out of range', () => {
    const dataset = validDataset();
    dataset.test.labels[9] = 10;
    dataset.train.labels[8] = 255;
    expect(checkClasses(dataset)).toMatchObject({ verdict: 'bad', numbers: { outOfRange: 2 } });
  });
});

describe('pixels', () => {
  it('have the mean and deviation of the scaled bytes', () => {
    const { numbers, verdict } = checkPixels(validDataset());
    // Uniform on 0 to 255: the mean is 127.5, the variance (256² − 1)/12.
    expect(verdict).toBe('ok');
    expect(numbers.mean).toBeCloseTo(-0.5 / 64, 2);
    expect(numbers.deviation).toBeCloseTo(Math.sqrt((256 ** 2 - 1) / 12) / 64, 2);
  });

  it('are checked for images of a single colour and for brightness', () => {
    const dataset = validDataset();
    dataset.train.images.fill(9, 0, 3072);
    expect(checkPixels(dataset)).toMatchObject({ verdict: 'warning', numbers: { constant: 1 } });
    const dark = validDataset();
    for (const { images } of [dark.train, dark.test]) for (let i = 0; i < images.length; i++) images[i] >>= 3;
    expect(checkPixels(dark)).toMatchObject({ verdict: 'warning', advice: expect.stringContaining('too dark') });
    const black = datasetOf(allocateImageSet(10), allocateImageSet(10));
    expect(checkPixels(black).verdict).toBe('bad');
  });
});

describe('origin', () => {
  it('says that a part of CIFAR-10 is not the whole', () => {
    const finding = checkOrigin(validDataset());
    expect(finding).toMatchObject({ verdict: 'warning', numbers: { known: null, files: null } });
    expect(finding.evidence).toContain('200 training images, 100 test images; wanted 50,000 and 10,000');
  });

  it('compares the rebuilt files byte for byte', async () => {
    async function* files() {
      for (const [n, name] of NAMES.entries()) yield { name, origin: name, bytes: batchFile(n) };
    }
    const { train, test } = await decodeBatches(files());
    const hashes = NAMES.map((_, n) => createHash('sha256').update(batchFile(n)).digest('hex'));
    const dataset = datasetOf(train, test);
    expect(fileHashes(dataset)).toEqual(hashes);
    expect(checkOrigin(dataset)).toMatchObject({ verdict: 'warning', numbers: { known: 0, files: 6 } });
    expect(checkOrigin(dataset, hashes)).toMatchObject({ verdict: 'ok' });
    expect(checkOrigin(dataset, hashes.with(2, 'another'))).toMatchObject({ verdict: 'bad', numbers: { known: 5 } });
  });
});
