import { IMAGE_SIDE } from '../images.ts';

/** Light grey between and around the tiles. */
export const BACKGROUND_GREY = 224;

/** Draws a contact sheet: tiles in rows, each pixel enlarged to a square.
 *  @param tiles each [32, 32, 3] bytes. @param columns tiles per row. @param scale side of an enlarged pixel.
 *  @param gap between and around the tiles, in pixels of the sheet.
 *  @returns [height, width, 3] bytes. */
export function contactSheet(
  tiles: readonly Uint8Array[],
  { columns, scale, gap }: { readonly columns: number; readonly scale: number; readonly gap: number },
): { rgb: Uint8Array; width: number; height: number } {
  const pitch = IMAGE_SIDE * scale + gap;
  const width = gap + columns * pitch;
  const height = gap + Math.ceil(tiles.length / columns) * pitch;
  const rgb = new Uint8Array(3 * width * height).fill(BACKGROUND_GREY);
  for (const [i, tile] of tiles.entries()) {
    const [left, top] = [gap + (i % columns) * pitch, gap + Math.floor(i / columns) * pitch];
    for (let y = 0; y < IMAGE_SIDE * scale; y++) {
      for (let x = 0; x < IMAGE_SIDE * scale; x++) {
        const from = 3 * (Math.floor(y / scale) * IMAGE_SIDE + Math.floor(x / scale));
        rgb.set(tile.subarray(from, from + 3), 3 * ((top + y) * width + left + x));
      }
    }
  }
  return { rgb, width, height };
}
