import { expect, it } from 'vitest';
import { labelledSheet } from '../../src/pictures/labelled-sheet.ts';
import { drawWord, wordSize } from '../../src/pictures/lettering.ts';
import { contactSheet } from '../../src/pictures/sheet.ts';

/** A drawn word as lines of text. */
function written(word: string): string[] {
  const { width, height } = wordSize(word);
  const rows = Array.from({ length: height }, () => new Array<string>(width).fill(' '));
  drawWord(word, (x, y) => {
    rows[y][x] = '#';
  });
  return rows.map((row) => row.join('').trimEnd());
}

it('draws legible words', () => {
  expect(written('dog')).toEqual([
    '    #',
    '    #',
    ' ####  ###   ####',
    '#   # #   # #   #',
    '#   # #   # #   #',
    '#   # #   # #   #',
    ' ####  ###   ####',
    '                #',
    '             ###',
  ]);
  const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => written(letter).join('\n'));
  expect(new Set(letters).size).toBe(26);
  expect(written('a{ é')[4]).toBe(written('a')[4]);
});

it('adds a word to the left of each row and leaves the contact sheet unchanged', () => {
  const tile = (n: number) => new Uint8Array(3072).map((_, i) => (n * 50 + i) % 251);
  const rows = [
    { label: 'dog', tiles: [tile(1), tile(2)] },
    { label: 'truck', tiles: [tile(3), tile(4)] },
  ];
  const options = { scale: 2, gap: 6 };
  const { width, height, rgb } = labelledSheet(rows, options);
  const plain = contactSheet([tile(1), tile(2), tile(3), tile(4)], { columns: 2, ...options });
  const margin = width - plain.width;
  expect([height, margin]).toEqual([plain.height, 6 + 2 * wordSize('truck').width]);
  const at = (x: number, y: number) => rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
  for (let y = 0; y < height; y++) {
    const line = rgb.subarray(3 * (y * width + margin), 3 * (y + 1) * width);
    expect(Buffer.compare(line, plain.rgb.subarray(3 * y * plain.width, 3 * (y + 1) * plain.width))).toBe(0);
  }
  // Each label is vertically centred on its row and ends where the sheet begins.
  for (const [i, { label }] of rows.entries()) {
    const top = 6 + i * 70 + (64 - 18) / 2;
    const lines = Array.from({ length: 9 }, (_, y) =>
      Array.from({ length: margin / 2 }, (_, x) => (at(2 * x, top + 2 * y)[0] < 128 ? '#' : ' ')).join(''),
    );
    const indent = margin / 2 - wordSize(label).width;
    expect(lines.map((line) => line.slice(indent).trimEnd())).toEqual(written(label));
    expect(lines.every((line) => line.slice(0, indent).trim() === '')).toBe(true);
  }
});
