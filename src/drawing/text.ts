// Estimates the size of text without a font: slightly too wide for the usual sans-serif fonts.

export const FONT_FAMILY = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

export const FONT_SIZE = { title: 18, label: 16, value: 14, detail: 12 } as const;

/** Distance between lines of text, in units of the font size. */
export const LINE_HEIGHT = 1.25;

/** Character widths in units of the font size; the first match counts. */
const CHARACTER_WIDTHS: readonly (readonly [characters: RegExp, width: number])[] = [
  [/[\p{Mark}\u200b-\u200d]/u, 0],
  [/[iljftrI.,:;|!'`()[\] /\\]/u, 0.42],
  [/[a-z0-9+\-*=<>{}"?$_~^]/u, 0.64],
  [/[A-LN-VX-Z&×÷−·±√²³⁻¹₀-₉]/u, 0.84],
  [/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Extended_Pictographic}]/u, 1.4],
  [/./u, 1],
];

/** Returns an upper bound on the width of a line of text, in pixels. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += CHARACTER_WIDTHS.find(([class_]) => class_.test(character))?.[1] ?? 0;
  return Math.ceil(fontSize * width);
}

/** Escapes a text for the content or an attribute of an element. Characters that XML does not allow become �. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
