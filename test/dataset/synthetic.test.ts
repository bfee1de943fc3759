import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import type { ImageSet } from '../../src/images.ts';

const D = 3072;
const C = 10;

const { classes, train, test } = syntheticDataset();

describe('the synthetic dataset', () => {
  it('has the same bytes on every machine', () => {
    const small = syntheticDataset({ trainCount: 100, testCount: 20 });
    // After an intended change of the drawing, measure the accuracy of the classifiers again, then update the hash.
    expect(digest(small.train, small.test)).toBe('26b8a2d366cfde7b1ca82528fdc92ae2ba287a393b9c6c9e32ee6fd9066f759b');
  });

  it('has the format of CIFAR-10: 3072 bytes per image, and ten class names', () => {
    expect([train.images.length, train.labels.length]).toEqual([10_000 * D, 10_000]);
    expect([test.images.length, test.labels.length]).toEqual([2_000 * D, 2_000]);
    for (const { images, labels } of [train, test]) {
      expect([images.byteOffset, labels.byteOffset]).toEqual([0, 0]);
    }
    expect(new Set(classes).size).toBe(C);
  });

  it('has every class once in each group of ten images, in varying order', () => {
    const tens = new Set<string>();
    for (const { labels } of [train, test]) {
      for (let i = 0; i < labels.length; i += C) {
        const ten = [...labels.subarray(i, i + C)];
        tens.add(ten.join(''));
        expect(ten.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      }
    }
    expect(tens.size).toBeGreaterThan(1_190); // of 1,200 tens
  });

  it('has no duplicate image within or across training and test images', () => {
    const digests = [train, test].flatMap(({ images, labels }) =>
      Array.from(labels, (_, i) => sha256(images.subarray(i * D, (i + 1) * D))),
    );
    expect(new Set(digests).size).toBe(12_000);
  });

  it('starts with the same images whatever the count', () => {
    const fewer = syntheticDataset({ trainCount: 23, testCount: 7 });
    expect(digest(fewer.train)).toBe(digest(first(23, train)));
    expect(digest(fewer.test)).toBe(digest(first(7, test)));
  });

  it('depends on the seed', () => {
    const { train: other } = syntheticDataset({ trainCount: 10, testCount: 0, seed: 1 });
    expect(digest(other)).not.toBe(digest(first(10, train)));
  });

  it('is neither impossible nor trivial: the nearest class mean beats guessing but is far from perfect', () => {
    const means = classMeans(train);
    let correct = 0;
    for (let i = 0; i < test.labels.length; i++) {
      const image = test.images.subarray(i * D, (i + 1) * D);
      const distances = means.map((mean) => squaredDistance(image, mean));
      if (distances.indexOf(Math.min(...distances)) === test.labels[i]) correct++;
    }
    const accuracy = correct / test.labels.length;
    expect(accuracy).toBeGreaterThan(0.3);
    expect(accuracy).toBeLessThan(0.45);
  });
});

function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function digest(...sets: readonly ImageSet[]): string {
  return sha256(...sets.flatMap(({ images, labels }) => [images, labels]));
}

function first(count: number, { images, labels }: ImageSet): ImageSet {
  return { images: images.subarray(0, count * D), labels: labels.subarray(0, count) };
}

function classMeans({ images, labels }: ImageSet): Float64Array[] {
  const sums = Array.from({ length: C }, () => new Float64Array(D));
  const counts = new Uint32Array(C);
  for (let i = 0; i < labels.length; i++) {
    const sum = sums[labels[i]];
    for (let d = 0; d < D; d++) sum[d] += images[i * D + d];
    counts[labels[i]]++;
  }
  return sums.map((sum, c) => sum.map((total) => total / counts[c]));
}

function squaredDistance(image: Uint8Array, mean: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += (image[d] - mean[d]) ** 2;
  return sum;
}
