/** Lower-case letters, 5 × 9 pixels each: two rows for ascenders, five for the body, two for descenders. */
const A_TO_M = [
  // a     b     c     d     e     f     g     h     i     j     k     l     m
  '..... #.... ..... ....# ..... ..##. ..... #.... ..#.. ...#. #.... .##.. .....',
  '..... #.... ..... ....# ..... .#... ..... #.... ..... ..... #.... ..#.. .....',
  '.###. ####. .###. .#### .###. ####. .#### ####. .##.. ..##. #..#. ..#.. ##.#.',
  '....# #...# #...# #...# #...# .#... #...# #...# ..#.. ...#. #.#.. ..#.. #.#.#',
  '.#### #...# #.... #...# ##### .#... #...# #...# ..#.. ...#. ##... ..#.. #.#.#',
  '#...# #...# #...# #...# #.... .#... #...# #...# ..#.. ...#. #.#.. ..#.. #.#.#',
  '.#### ####. .###. .#### .###. .#... .#### #...# .###. ...#. #..#. .###. #.#.#',
  '..... ..... ..... ..... ..... ..... ....# ..... ..... #..#. ..... ..... .....',
  '..... ..... ..... ..... ..... ..... .###. ..... ..... .##.. ..... ..... .....',
];
const N_TO_Z = [
  // n     o     p     q     r     s     t     u     v     w     x     y     z
  '..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... .....',
  '..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... .....',
  '####. .###. ####. .#### #.##. .#### ####. #...# #...# #...# #...# #...# #####',
  '#...# #...# #...# #...# ##..# #.... .#... #...# #...# #...# .#.#. #...# ...#.',
  '#...# #...# #...# #...# #.... .###. .#... #...# #...# #.#.# ..#.. #...# ..#..',
  '#...# #...# #...# #...# #.... ....# .#..# #...# .#.#. #.#.# .#.#. #...# .#...',
  '#...# .###. ####. .#### #.... ####. ..##. .#### ..#.. .#.#. #...# .#### #####',
  '..... ..... #.... ....# ..... ..... ..... ..... ..... ..... ..... ....# .....',
  '..... ..... #.... ....# ..... ..... ..... ..... ..... ..... ..... .###. .....',
];

const [WIDTH, HEIGHT] = [5, 9];
const PITCH = WIDTH + 1;

/** Size of a word in pixels. */
export function wordSize(word: string): { readonly width: number; readonly height: number } {
  return { width: Math.max(0, word.length * PITCH - 1), height: HEIGHT };
}

/** Calls `setPixel` for every pixel of a word in the letters a to z. Any other character is drawn as a space. */
export function drawWord(word: string, setPixel: (x: number, y: number) => void): void {
  for (const [i, letter] of [...word].entries()) {
    const index = 'abcdefghijklmnopqrstuvwxyz'.indexOf(letter);
    if (index < 0) continue;
    const rows = index < 13 ? A_TO_M : N_TO_Z;
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) if (rows[y][(index % 13) * PITCH + x] === '#') setPixel(i * PITCH + x, y);
    }
  }
}
