import { CHANNELS, type ImageSet, PLANE_BYTES } from '../images.ts';

export interface Moments {
  readonly mean: number;
  /** The standard deviation over all pixels: the root of the mean squared distance from the mean. */
  readonly deviation: number;
}

/** The pixels of one colour, over all images. */
export interface ChannelStatistics {
  readonly channel: 'red' | 'green' | 'blue';
  /** Of the bytes p, 0 to 255. */
  readonly bytes: Moments;
  /** Of x = (p − 128)/64, which is what networks are given. */
  readonly scaled: Moments;
}

export interface SetStatistics {
  readonly images: number;
  /** How many images there are of each class. */
  readonly perClass: readonly number[];
  readonly channels: readonly ChannelStatistics[];
}

/** Counts per class; mean and standard deviation per channel, in float64 and over every pixel.
 *  @param classes how many there are. */
export function imageStatistics({ images, labels }: ImageSet, classes: number): SetStatistics {
  return {
    images: labels.length,
    perClass: classCounts(labels, classes),
    channels: (['red', 'green', 'blue'] as const).map((channel, c) => {
      const bytes = momentsOf(channelHistogram(images, labels.length, c));
      const scaled = { mean: (bytes.mean - 128) / 64, deviation: bytes.deviation / 64 };
      return { channel, bytes, scaled };
    }),
  };
}

/** How many labels there are of each class. */
export function classCounts(labels: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) if (label < classes) counts[label]++;
  return counts;
}

/** How often each byte is there: 256 exact counts hold all that mean and deviation need. */
function channelHistogram(images: Uint8Array, rows: number, channel: number): Float64Array {
  const histogram = new Float64Array(256);
  for (let row = 0; row < rows; row++) {
    const from = (CHANNELS * row + channel) * PLANE_BYTES;
    for (let i = from; i < from + PLANE_BYTES; i++) histogram[images[i]]++;
  }
  return histogram;
}

function momentsOf(histogram: Float64Array): Moments {
  const total = histogram.reduce((sum, times) => sum + times, 0);
  const mean = histogram.reduce((sum, times, p) => sum + times * p, 0) / total;
  const variance = histogram.reduce((sum, times, p) => sum + times * (p - mean) ** 2, 0) / total;
  return { mean, deviation: Math.sqrt(variance) };
}
