import { CHANNELS, type ImageSet, PLANE_BYTES, scaledPixel } from '../images.ts';

export interface Moments {
  readonly mean: number;
  /** Population standard deviation: the root of the mean squared distance from the mean. */
  readonly deviation: number;
}

/** Statistics of one colour channel over all images. */
export interface ChannelStatistics {
  readonly channel: 'red' | 'green' | 'blue';
  /** Moments of the bytes p, 0 to 255. */
  readonly bytes: Moments;
  /** Moments of x = (p − 128)/64, the input of the networks. */
  readonly scaled: Moments;
}

export interface SetStatistics {
  readonly images: number;
  /** Number of images of each class. */
  readonly perClass: readonly number[];
  readonly channels: readonly ChannelStatistics[];
}

/** Counts images per class and computes mean and standard deviation per channel, in float64 over every pixel.
 *  @param classes number of classes. */
export function imageStatistics({ images, labels }: ImageSet, classes: number): SetStatistics {
  return {
    images: labels.length,
    perClass: classCounts(labels, classes),
    channels: (['red', 'green', 'blue'] as const).map((channel, c) => {
      const bytes = momentsOf(channelHistogram(images, labels.length, c));
      return { channel, bytes, scaled: scaledMoments(bytes) };
    }),
  };
}

/** Counts the labels of each class, ignoring labels out of range. */
export function classCounts(labels: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) if (label < classes) counts[label]++;
  return counts;
}

/** Counts each byte value. The 256 counts are exact, and mean and deviation need nothing else. */
function channelHistogram(images: Uint8Array, rows: number, channel: number): Float64Array {
  const histogram = new Float64Array(256);
  for (let row = 0; row < rows; row++) {
    const from = (CHANNELS * row + channel) * PLANE_BYTES;
    for (let i = from; i < from + PLANE_BYTES; i++) histogram[images[i]]++;
  }
  return histogram;
}

/** Moments of bytes, from the number of times that each byte occurs. */
export function momentsOf(histogram: Float64Array): Moments {
  const total = histogram.reduce((sum, times) => sum + times, 0);
  const mean = histogram.reduce((sum, times, p) => sum + times * p, 0) / total;
  const variance = histogram.reduce((sum, times, p) => sum + times * (p - mean) ** 2, 0) / total;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Moments of the scaled pixels, from those of the bytes. */
export function scaledMoments({ mean, deviation }: Moments): Moments {
  return { mean: scaledPixel(mean), deviation: deviation / 64 };
}
