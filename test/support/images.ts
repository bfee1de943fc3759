import type { ImageSet } from '../../src/backends/backend.ts';
import { imageSet } from '../../src/dataset/cifar10.ts';
import { Random } from '../../src/random.ts';

/** Images of random bytes with labels 0, 1, … 9, 0, … */
export function randomImageSet(count: number, name: string): ImageSet {
  const random = new Random(1, 'images', name);
  const { images, labels } = imageSet(count);
  for (let i = 0; i < images.length; i++) images[i] = random.integer(256);
  for (let i = 0; i < count; i++) labels[i] = i % 10;
  return { images, labels };
}
