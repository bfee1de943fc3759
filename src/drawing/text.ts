/** Sizes of text in pixels, without a font at hand: what follows errs on the wide side for the usual sans-serif fonts. */

export const FONT_FAMILY = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

export const FONT_SIZE = { title: 18, label: 16, value: 14, detail: 12 } as const;

/** From one line of text to the next, in units of the font size. */
export const LINE_HEIGHT = 1.25;

/** Widths of characters in units of the font size, the first that matches. */
const CHARACTER_WIDTHS: readonly (readonly [characters: RegExp, width: number])[] = [
  [/[\p{Mark}\u200b-\u200d]/u, 0],
  [/[iljftrI.,:;|!'`()[\] /\\]/u, 0.42],
  [/[a-z0-9+\-*=<>{}"?$_~^]/u, 0.64],
  [/[A-LN-VX-Z&×÷−·±√²³⁻¹₀-₉]/u, 0.84],
  [/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Extended_Pictographic}]/u, 1.4],
  [/./u, 1],
];

/** No less than the width of a line of text. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += CHARACTER_WIDTHS.find(([class_]) => class_.test(character))?.[1] ?? 0;
  return Math.ceil(fontSize * width);
}

/** A text as the content or an attribute of an element. Characters that XML cannot hold become �. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
