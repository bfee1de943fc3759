import { IMAGE_SIDE } from '../../images.ts';
import type { TestReport, WeightPictures } from '../report-data.ts';
import { type Child, h } from './dom.ts';
import * as format from './format.ts';

const TEMPLATES =
  'A row of W drawn as an image: mid-grey is a weight of zero, a bright colour raises the score of the class where the image ' +
  'has that colour, its opposite lowers it. With one template each, a class can only be known by its most common colours ' +
  'and outline. More weight decay makes templates smoother.';

const FILTERS =
  'The incoming weights of hidden units, those that are used most first: mid-grey is zero, a bright colour excites the unit ' +
  'where the image has that colour. Blobs and edges are features that were learnt; pure noise is a unit that has learnt little.';

/** The weights of the linear classifier, or of first-layer units, as pictures. */
export function weightPictures({ kind, pictures, of }: WeightPictures): HTMLElement {
  const [title, what, caption] =
    kind === 'templates'
      ? ['One template for each class', 'Template of', TEMPLATES]
      : [`${format.count(pictures.length)} of ${format.count(of)} filters`, 'Filter of', FILTERS];
  const tiles = pictures.map(({ picture, name, detail }) => tile(picture, `${what} ${name}`, name, detail));
  return gallery(kind, title, tiles, caption);
}

/** The wrong answers that the model was surest of. */
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
    'The most confident mistakes',
    tiles,
    'True class → predicted class, with the probability of the predicted one against that of the true one; the worst of ' +
      `${format.plural(images - correct, 'mistake')}. Is the label doubtful, the view unusual, or did colour and background ` +
      'mislead the model?',
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

/** A picture of 32 × 32 pixels with its name. */
function tile(picture: string, alt: string, name: Child, detail: string): HTMLElement {
  return h(
    'li',
    { title: alt },
    h('img', { src: picture, alt, width: IMAGE_SIDE, height: IMAGE_SIDE }),
    h('span', { class: 'name' }, name),
    detail ? h('span', { class: 'detail' }, detail) : null,
  );
}
