import { allocateImageSet, type ImageSet } from '../../src/images.ts';
import { Random } from '../../src/random.ts';

/** Images of random bytes, with labels 0, 1, … 9, 0, … */
export function randomImageSet(count: number, name: string): ImageSet {
  const random = new Random(1, 'images', name);
  const { images, labels } = allocateImageSet(count);
  for (let i = 0; i < images.length; i++) images[i] = random.integer(256);
  for (let i = 0; i < count; i++) labels[i] = i % 10;
  return { images, labels };
}
