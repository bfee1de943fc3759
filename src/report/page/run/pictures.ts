import { IMAGE_SIDE } from '../../../images.ts';
import type { TestReport, WeightPictures } from '../../report-data.ts';
import { type Child, h } from '../dom.ts';
import * as format from '../format.ts';

const TEMPLATES =
  'Each row of W as an image. Mid-grey is a weight of zero; a bright colour raises the score of the class where the image ' +
  'has that colour, and its opposite lowers it. With a single template, a class can be recognised only by its most common ' +
  'colours and outline. More weight decay makes templates smoother.';

const FILTERS =
  'The incoming weights of hidden units as images. Mid-grey is a weight of zero; a bright colour excites the unit where the ' +
  'image has that colour. Blobs and edges are learnt features; a unit whose filter is pure noise has learnt little.';

/** Gallery of the templates of a linear classifier or of first-layer filters. */
export function weightPictures({ kind, pictures, total }: WeightPictures): HTMLElement {
  const [title, prefix, caption] =
    kind === 'templates'
      ? ['One template per class', 'Template of', TEMPLATES]
      : [`${format.count(pictures.length)} of ${format.count(total)} filters, most used first`, 'Filter of', FILTERS];
  const tiles = pictures.map(({ picture, name, detail }) => tile(picture, `${prefix} ${name}`, name, detail));
  return gallery(kind, title, tiles, caption);
}

/** Gallery of the incorrect predictions with the highest probability. */
export function mistakes({ mistakes: list, images, correct }: TestReport): HTMLElement {
  const tiles = list.map(({ picture, index, label, predicted, probability, labelProbability }) =>
    tile(
      picture,
      `Test image ${format.count(index)}, labelled ${label}`,
      [label, ' → ', h('strong', {}, predicted)],
      `${format.percent(probability, 1)} vs ${format.percent(labelProbability, 1)}`,
    ),
  );
  return gallery(
    'mistakes',
    'Most confident mistakes',
    tiles,
    'True class → predicted class, with the probability of the predicted class vs that of the true class. The model made ' +
      `${format.plural(images - correct, 'mistake')} in all. Is the label doubtful or the view unusual, or did colour and ` +
      'background mislead the model?',
  );
}

function gallery(id: string, title: string, tiles: Child, caption: string): HTMLElement {
  return h(
    'figure',
    { id },
    h('h3', {}, title),
    h('ul', { class: `pictures ${id}` }, tiles),
    h('figcaption', {}, caption),
  );
}

/** A picture of 32 × 32 pixels with its name and a detail. */
function tile(picture: string, alt: string, name: Child, detail: string): HTMLElement {
  return h(
    'li',
    { title: alt },
    h('img', { src: picture, alt, width: IMAGE_SIDE, height: IMAGE_SIDE }),
    h('span', { class: 'name' }, name),
    detail ? h('span', { class: 'detail' }, detail) : null,
  );
}
