import { IMAGE_BYTES } from '../images.ts';
import { drawWord, wordSize } from './lettering.ts';
import type { Picture } from './picture.ts';
import { BACKGROUND_GREY, contactSheet } from './sheet.ts';

const INK_GREY = 32;
const NO_TILE = new Uint8Array(IMAGE_BYTES).fill(BACKGROUND_GREY);

/** A row of images and the word to its left. */
export interface LabelledRow {
  /** Letters a to z. */
  readonly label: string;
  /** Each [32, 32, 3] bytes. */
  readonly tiles: readonly Uint8Array[];
}

/** Draws a contact sheet with a word to the left of each row. Rows with fewer tiles than the longest end in empty space.
 *  @param scale side of a pixel of tiles and letters, in pixels of the sheet.
 *  @param gap between and around the tiles, in pixels of the sheet. */
export function labelledSheet(
  rows: readonly LabelledRow[],
  { scale, gap }: { readonly scale: number; readonly gap: number },
): Picture {
  const columns = Math.max(...rows.map(({ tiles }) => tiles.length));
  const tiles = rows.flatMap((row) => Array.from({ length: columns }, (_, i) => row.tiles[i] ?? NO_TILE));
  const sheet = contactSheet(tiles, { columns, scale, gap });
  const margin = gap + scale * Math.max(...rows.map(({ label }) => wordSize(label).width));
  const [width, height] = [margin + sheet.width, sheet.height];
  const rgb = new Uint8Array(3 * width * height).fill(BACKGROUND_GREY);
  for (let y = 0; y < height; y++) {
    rgb.set(sheet.rgb.subarray(3 * y * sheet.width, 3 * (y + 1) * sheet.width), 3 * (y * width + margin));
  }
  const pitch = (height - gap) / rows.length;
  for (const [i, { label }] of rows.entries()) {
    const size = wordSize(label);
    const left = margin - scale * size.width;
    const top = gap + i * pitch + Math.floor((pitch - gap - scale * size.height) / 2);
    drawWord(label, (x, y) => {
      for (let row = 0; row < scale; row++) {
        const at = 3 * ((top + scale * y + row) * width + left + scale * x);
        rgb.fill(INK_GREY, at, at + 3 * scale);
      }
    });
  }
  return { width, height, rgb };
}
