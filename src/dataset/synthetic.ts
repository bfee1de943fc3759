/** A stand-in for CIFAR-10 that needs no download: drawn in memory, in the same format.
 *
 *  Ten classes of figures and textures whose position, size, tilt, contrast and colours vary, under noise. A figure and
 *  a texture share each hue, so colour leaves two classes to choose from, and the shape that decides between them moves
 *  about: after ten epochs a linear classifier gets 59 % of the test images right, a two-layer network with 100 hidden
 *  units 82 %.
 *
 *  Only integer arithmetic, + − × ÷ and Math.sqrt decide a byte, so that every engine draws the same images. */
import { allocateImageSet, CHANNELS, IMAGE_SIDE, type ImageSet, imageAt, PLANE_BYTES } from '../images.ts';
import { Random } from '../random.ts';

/** How much of the pixel at (x, y) is foreground, 0 to 1. The figure is centred at (0, 0), y points down, and r is its
 *  size: half of its extent, or about two stripes. All in pixels. */
type Coverage = (x: number, y: number, r: number) => number;

/** What a hue adds to red, green and blue of the foreground, in units of TINT. */
type Hue = readonly [red: number, green: number, blue: number];

const ORANGE: Hue = [1, 0, -1];
const LIME: Hue = [0, 1, -1];
const GREEN: Hue = [-1, 1, 0];
const BLUE: Hue = [-1, 0, 1];
const PINK: Hue = [1, -1, 0];

const CLASSES: readonly { readonly name: string; readonly hue: Hue; readonly cover: Coverage }[] = [
  { name: 'disc', hue: ORANGE, cover: (x, y, r) => edge(r - length(x, y)) },
  { name: 'ring', hue: BLUE, cover: (x, y, r) => edge(0.25 * r - Math.abs(length(x, y) - 0.8 * r)) },
  { name: 'square', hue: GREEN, cover: (x, y, r) => box(x, y, 0.85 * r, 0.85 * r) },
  { name: 'triangle', hue: LIME, cover: (x, y, r) => edge(Math.min(0.85 * r - y, (r + y) / 2 - 0.85 * Math.abs(x))) },
  { name: 'cross', hue: PINK, cover: (x, y, r) => Math.max(box(x, y, r, 0.3 * r), box(x, y, 0.3 * r, r)) },
  { name: 'horizontal stripes', hue: LIME, cover: (_x, y, r) => stripes(y, 0.5 * r) },
  { name: 'vertical stripes', hue: ORANGE, cover: (x, _y, r) => stripes(x, 0.5 * r) },
  { name: 'diagonal stripes', hue: GREEN, cover: (x, y, r) => stripes((x + y) * Math.SQRT1_2, 0.5 * r) },
  { name: 'checkerboard', hue: PINK, cover: (x, y, r) => differ(stripes(x, 0.6 * r), stripes(y, 0.6 * r)) },
  { name: 'gradient', hue: BLUE, cover: (_x, y, r) => clamp(0.5 - y / (2 * r)) },
];

// How much the images of a class vary. Positions and sizes are in pixels, brightness and noise in steps of 256.
const SHIFT = 7;
const SIZE = { smallest: 5, largest: 11 };
/** The tangent of half the largest angle: 17°. */
const TILT = 0.15;
const BRIGHTNESS = { middle: 128, spread: 30 };
const CONTRAST = { least: 30, most: 70 };
/** How often the foreground is the darker part. */
const INVERTED = 0.2;
const COLOUR_SPREAD = 48;
const TINT = 38;
const NOISE_SPREAD = 45;

interface SyntheticOptions {
  /** Number of training images, an integer; 10,000 unless given. */
  readonly trainCount?: number;
  /** Number of test images, an integer; 2,000 unless given. */
  readonly testCount?: number;
  /** An integer, 0 to 2⁵³ − 1; 0 unless given. */
  readonly seed?: number;
  /** Makes room for images; in memory of their own unless it is given. */
  readonly imageSet?: ((count: number) => ImageSet) | undefined;
}

/** Draws the data set: `trainCount` and `testCount` images [N, 3072] with labels [N]. The order is random and balanced:
 *  of each ten images, counted from the first, every class has one. A smaller count gives the first images of a larger
 *  one. Training and test images come from separate random streams. */
export function syntheticDataset({
  trainCount = 10_000,
  testCount = 2_000,
  seed = 0,
  imageSet = allocateImageSet,
}: SyntheticOptions = {}): {
  classes: readonly string[];
  train: ImageSet;
  test: ImageSet;
} {
  return {
    classes: CLASSES.map(({ name }) => name),
    train: drawImages(imageSet(trainCount), new Random(seed, 'synthetic', 'train')),
    test: drawImages(imageSet(testCount), new Random(seed, 'synthetic', 'test')),
  };
}

function drawImages(set: ImageSet, random: Random): ImageSet {
  const { images, labels } = set;
  const order = Uint32Array.from(CLASSES.keys());
  for (let i = 0; i < labels.length; i++) {
    if (i % order.length === 0) random.shuffle(order);
    labels[i] = order[i % order.length];
    // Storing into a clamped array rounds to a byte, ties to even, and cuts off at 0 and 255.
    const { buffer, byteOffset, length } = imageAt(images, i);
    drawImage(new Uint8ClampedArray(buffer, byteOffset, length), CLASSES[labels[i]], random);
  }
  return set;
}

function drawImage(image: Uint8ClampedArray, { hue, cover }: (typeof CLASSES)[number], random: Random): void {
  const around = (middle: number, spread: number) => middle + spread * (2 * random.uniform() - 1);
  const between = (low: number, high: number) => low + (high - low) * random.uniform();

  const centreX = around((IMAGE_SIDE - 1) / 2, SHIFT);
  const centreY = around((IMAGE_SIDE - 1) / 2, SHIFT);
  const r = between(SIZE.smallest, SIZE.largest);
  // With t = tan(angle/2), cosine and sine are rational. Half of the images are mirrored, as training mirrors them too.
  const t = around(0, TILT);
  const cosine = (1 - t * t) / (1 + t * t);
  const sine = (2 * t) / (1 + t * t);
  const mirror = random.uniform() < 0.5 ? -1 : 1;

  const brightness = around(BRIGHTNESS.middle, BRIGHTNESS.spread);
  const contrast = between(CONTRAST.least, CONTRAST.most) * (random.uniform() < INVERTED ? -1 : 1);
  const background = hue.map(() => around(brightness - contrast / 2, COLOUR_SPREAD));
  const foreground = hue.map((tint) => around(brightness + contrast / 2 + TINT * tint, COLOUR_SPREAD));

  for (let pixel = 0; pixel < PLANE_BYTES; pixel++) {
    const dx = mirror * ((pixel % IMAGE_SIDE) - centreX);
    const dy = Math.floor(pixel / IMAGE_SIDE) - centreY;
    const covered = cover(cosine * dx + sine * dy, cosine * dy - sine * dx, r);
    const bits = random.uint32();
    for (let channel = 0; channel < CHANNELS; channel++) {
      const colour = background[channel] + covered * (foreground[channel] - background[channel]);
      const noise = ((bits >>> (10 * channel)) & 1023) / 511.5 - 1; // ten bits of each draw: −1 to 1
      image[channel * PLANE_BYTES + pixel] = colour + NOISE_SPREAD * noise;
    }
  }
}

function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** An edge, softened over one pixel. @param inside distance to the edge, positive inside, in pixels. */
function edge(inside: number): number {
  return clamp(inside + 0.5);
}

function box(x: number, y: number, halfWidth: number, halfHeight: number): number {
  return edge(Math.min(halfWidth - Math.abs(x), halfHeight - Math.abs(y)));
}

/** Stripes across the axis of x, each `width` pixels wide and as far from the next. */
function stripes(x: number, width: number): number {
  const turns = x / (2 * width);
  const fromMiddle = Math.abs(turns - Math.floor(turns) - 0.5);
  return edge((0.25 - fromMiddle) * 2 * width);
}

/** Exclusive or, of two coverages. */
function differ(a: number, b: number): number {
  return a + b - 2 * a * b;
}
