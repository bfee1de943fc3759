import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import type { ImageSet } from '../../src/images.ts';
import { NAMES } from './cifar10.ts';

/** Writes synthetic images as the six files of CIFAR-10, of fewer records each.
 *  @param train number of training images, a multiple of 5. @param test number of test images. */
export function writeSmallCifar10(folder: string, train = 700, test = 200): string {
  const drawn = syntheticDataset({ trainCount: train, testCount: test });
  mkdirSync(folder, { recursive: true });
  for (const [n, name] of NAMES.entries()) {
    const records = n < 5 ? recordsOf(drawn.train, (n * train) / 5, train / 5) : recordsOf(drawn.test, 0, test);
    writeFileSync(path.join(folder, name), records);
  }
  return folder;
}

function recordsOf({ images, labels }: ImageSet, from: number, count: number): Buffer {
  const file = Buffer.alloc(count * 3073);
  for (let i = 0; i < count; i++) {
    file[i * 3073] = labels[from + i];
    file.set(images.subarray((from + i) * 3072, (from + i + 1) * 3072), i * 3073 + 1);
  }
  return file;
}

/** Options of a run on the 600 images that 100 for validation leave of a small set in `folder`. It is quicker than QUICK,
 *  for which 12,000 images are drawn first. */
export function onSmallCifar10(folder: string): string[] {
  return ['--data', writeSmallCifar10(path.join(folder, 'images')), '--trust', '--val', '100', '--batch-size', '64'];
}
