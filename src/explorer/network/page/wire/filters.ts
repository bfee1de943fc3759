import { integer } from '../../../../format.ts';
import { h } from '../../../../report/page/dom.ts';
import type { Filters } from '../../network-data.ts';
import { choice } from '../choice.ts';
import { PixelCanvas, signedColours } from '../pixels.ts';
import { filterName } from './names.ts';

/** Weights that see the images as pictures, or the gradients of the same weights. */
export function filtersPart(filters: Filters, classes: readonly string[]): HTMLElement {
  const { kind, total, shown } = filters;
  const canvases = shown.map(() => new PixelCanvas());
  const show = (what: 'weights' | 'gradient') => {
    for (const [i, filter] of shown.entries()) {
      const name = filterName(filter.row, filters, { classes });
      canvases[i].draw(signedColours(filter[what]), `${what === 'weights' ? 'weights' : 'gradients'} of ${name}`);
    }
  };
  show('weights');
  const isAll = shown.length === total;
  const title = kind === 'templates' ? 'Template of each class' : 'Filters at their place';
  const text =
    kind === 'templates'
      ? 'Each row of the weights as an image: grey is 0, and a bright red pixel is a large weight of red.'
      : `${isAll ? `All ${integer(total)}` : `${shown.length} of ${integer(total)}`} filters, those first that move the scores most. Grey is 0, and a bright red pixel is a large weight of red.`;
  return h(
    'div',
    { class: 'more' },
    h('h3', {}, title),
    h('p', { class: 'quiet' }, text),
    choice(
      'Show',
      [
        ['weights', 'weights'],
        ['gradient', 'their gradients'],
      ],
      show,
    ),
    h(
      'div',
      { class: `filters ${kind}` },
      shown.map((filter, i) =>
        h(
          'figure',
          {},
          canvases[i].element,
          h('figcaption', {}, filterName(filter.row, filters, { classes }).replace(', ', '\n')),
        ),
      ),
    ),
  );
}
