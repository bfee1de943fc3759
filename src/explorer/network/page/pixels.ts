import { IMAGE_BYTES, IMAGE_SIDE, PLANE_BYTES, placeInImage } from '../../../images.ts';
import { h } from '../../../report/page/dom.ts';
import type { PixelMap } from '../network-data.ts';
import { decodePixels } from '../pixel-map.ts';

/** Share of the numbers that may exceed the scale of the colours, so that a few extreme ones do not fade all others. */
const CLIPPED_SHARE = 0.01;

/** Red, green, blue and opacity of each pixel: [32, 32, 4] bytes. */
type Colours = Uint8ClampedArray<ArrayBuffer>;

/** An image of 32 × 32 pixels that can be drawn again. */
export class PixelCanvas {
  readonly element = h('canvas', { width: IMAGE_SIDE, height: IMAGE_SIDE, role: 'img' });

  draw(colours: Colours, label: string): void {
    this.element.setAttribute('aria-label', label);
    this.element.getContext('2d')!.putImageData(new ImageData(colours, IMAGE_SIDE, IMAGE_SIDE), 0, 0);
  }
}

/** The numbers [3072] of a map, with zeros where it has none. */
export function placed(map: PixelMap): Float64Array {
  return placeInImage(decodePixels(map), map.size, map);
}

/** An image by its bytes. */
export function imageColours(bytes: ArrayLike<number>): Colours {
  return coloursOf((pixel) => [0, 1, 2].map((plane) => bytes[pixel + plane * PLANE_BYTES]));
}

/** Signed numbers: mid-grey is 0, and each colour is brighter where its number is positive, darker where it is negative. Pixels
 *  outside of the map are transparent. */
export function signedColours(map: PixelMap): Colours {
  const numbers = placed(map);
  const end = scaleOf(decodePixels(map).map(Math.abs));
  const colours = coloursOf((pixel) =>
    [0, 1, 2].map((plane) => 128 + Math.min(127, Math.max(-127, (127 * numbers[pixel + plane * PLANE_BYTES]) / end))),
  );
  for (let pixel = 0; pixel < PLANE_BYTES; pixel++) if (!isInside(map, pixel)) colours[4 * pixel + 3] = 0;
  return colours;
}

/** The largest |number| of the three colours of each pixel: from black for 0 through red and yellow to white. */
export function sizeColours(numbers: ArrayLike<number>): Colours {
  const sizes = Float64Array.from({ length: PLANE_BYTES }, (_, pixel) => sizeAt(numbers, pixel));
  const end = scaleOf(sizes);
  return coloursOf((pixel) => {
    const heat = 3 * Math.min(1, sizes[pixel] / end);
    return [255 * heat, 255 * (heat - 1), 255 * (heat - 2)];
  });
}

function sizeAt(numbers: ArrayLike<number>, pixel: number): number {
  return Math.max(...[0, 1, 2].map((plane) => Math.abs(numbers[pixel + plane * PLANE_BYTES])));
}

/** The number that nearly all sizes lie below. */
function scaleOf(sizes: Float64Array): number {
  const sorted = sizes.slice().sort();
  return sorted[Math.ceil((1 - CLIPPED_SHARE) * sorted.length) - 1] || sorted.at(-1) || 1;
}

function coloursOf(colourOf: (pixel: number) => readonly number[]): Colours {
  const colours = new Uint8ClampedArray((4 * IMAGE_BYTES) / 3);
  for (let pixel = 0; pixel < PLANE_BYTES; pixel++) colours.set([...colourOf(pixel), 255], 4 * pixel);
  return colours;
}

function isInside({ size, x, y }: PixelMap, pixel: number): boolean {
  const [row, column] = [Math.floor(pixel / IMAGE_SIDE), pixel % IMAGE_SIDE];
  return row >= y && row < y + size && column >= x && column < x + size;
}
