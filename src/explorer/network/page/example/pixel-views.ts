import { IMAGE_SIDE, PLANE_BYTES } from '../../../../images.ts';
import { h } from '../../../../report/page/dom.ts';
import type { PixelMap } from '../../network-data.ts';
import { short } from '../../number.ts';
import { imageColours, PixelCanvas, placed, signedColours, sizeColours } from '../pixels.ts';

const MOVES: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** An image and the gradient by its pixels, in three pictures with a common cursor, which reads out the numbers of a pixel. */
export class PixelViews {
  readonly element: HTMLElement;
  readonly #canvases = [new PixelCanvas(), new PixelCanvas(), new PixelCanvas()];
  readonly #cursors = this.#canvases.map(() => h('span', { class: 'cursor' }));
  readonly #largest = h('p', { class: 'notes', id: 'largest' });
  readonly #readout = h('p', { id: 'pixel', role: 'status' });
  #bytes: Uint8Array = new Uint8Array();
  #gradient: Float64Array = new Float64Array();
  #of = '';
  #at: { readonly x: number; readonly y: number } = { x: 16, y: 16 };

  constructor() {
    const captions = ['The image', 'How much each pixel matters', 'Which way it matters'];
    const views = h(
      'div',
      { id: 'pixels', tabindex: 0, role: 'application', 'aria-label': 'Pixels; arrow keys move the cursor' },
      captions.map((caption, i) =>
        h(
          'figure',
          {},
          h('div', { class: 'frame' }, this.#canvases[i].element, this.#cursors[i]),
          h('figcaption', {}, caption),
        ),
      ),
    );
    views.addEventListener('keydown', (event) => this.#onKey(event));
    for (const { element } of this.#canvases) {
      for (const type of ['pointermove', 'pointerdown'] as const) {
        element.addEventListener(type, ({ offsetX, offsetY }) => {
          const scale = IMAGE_SIDE / element.clientWidth;
          this.#moveTo(Math.floor(offsetX * scale), Math.floor(offsetY * scale));
        });
      }
    }
    this.element = h('div', {}, views, this.#readout, this.#largest);
  }

  /** @param of what the gradient is of, such as 'the loss'. */
  show(bytes: Uint8Array, gradient: PixelMap, of: string): void {
    [this.#bytes, this.#gradient, this.#of] = [bytes, placed(gradient), of];
    const [image, size, sign] = this.#canvases;
    image.draw(imageColours(bytes), 'The image');
    size.draw(sizeColours(this.#gradient), `Largest |gradient| of ${of} by the colours of each pixel`);
    sign.draw(signedColours(gradient), `Gradient of ${of} by each colour of each pixel`);
    const largest = this.#gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.#largest.textContent =
      `Middle: the largest |gradient| of the three colours of a pixel, at most ${short(largest)}; black is 0. ` +
      `Right: grey is 0; where a pixel is bright red, more red makes ${of} larger. ` +
      'By the scaled colour (byte − 128)/64.';
    this.#update();
  }

  #onKey(event: KeyboardEvent): void {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    this.#moveTo(this.#at.x + move[0], this.#at.y + move[1]);
  }

  #moveTo(x: number, y: number): void {
    const inside = (value: number) => Math.min(IMAGE_SIDE - 1, Math.max(0, value));
    this.#at = { x: inside(x), y: inside(y) };
    this.#update();
  }

  #update(): void {
    const { x, y } = this.#at;
    for (const { style } of this.#cursors) {
      style.left = `${(100 * x) / IMAGE_SIDE}%`;
      style.top = `${(100 * y) / IMAGE_SIDE}%`;
    }
    const planes = ['red', 'green', 'blue'].map((colour, plane) => ({
      colour,
      at: y * IMAGE_SIDE + x + plane * PLANE_BYTES,
    }));
    this.#readout.replaceChildren(
      `Row ${y}, column ${x}: colour ${planes.map(({ at }) => this.#bytes[at]).join(', ')}; gradient of ${this.#of} `,
      h(
        'span',
        { class: 'gradient' },
        planes.map(({ colour, at }) => `${colour} ${short(this.#gradient[at])}`).join(', '),
      ),
    );
  }
}
