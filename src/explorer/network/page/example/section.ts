import { h } from '../../../../report/page/dom.ts';
import type { Example, NetworkData } from '../../network-data.ts';
import { bytesOf } from '../../pixel-map.ts';
import { imageColours, PixelCanvas } from '../pixels.ts';
import { gradientText } from './gradient-text.ts';
import { PixelViews } from './pixel-views.ts';
import { ScoresView, type Target } from './scores.ts';

/** An image of the batch: its scores, its loss, and the gradient of one of them by its pixels. */
export function exampleSection(data: NetworkData): HTMLElement {
  const { examples, classes } = data;
  let example = examples[0];
  let target: Target = example.label;
  const title = h('h3', { id: 'image-title', 'aria-live': 'polite' });
  const text = h('p', { id: 'gradient-text', class: 'quiet' });
  const pixels = new PixelViews();
  const update = () => {
    title.textContent = titleOf(example, data);
    scores.show(example);
    text.textContent = gradientText(data, example, target);
    const gradient = target === 'loss' ? example.lossGradient : example.scoreGradients[target];
    pixels.show(bytesOf(example.pixels), gradient, target === 'loss' ? 'the loss' : `the score of ${classes[target]}`);
  };
  const scores = new ScoresView(data, target, (chosen) => {
    target = chosen;
    update();
  });
  const images = chooser(data, (chosen) => {
    example = chosen;
    update();
  });
  update();
  return h(
    'section',
    { id: 'images', 'aria-labelledby': 'images-title' },
    h('h2', { id: 'images-title' }, 'Which pixels it depends on'),
    h(
      'p',
      {},
      'Backpropagation does not have to end at the weights: one gate further it gives the gradient of a score by each pixel.',
    ),
    images,
    title,
    h('div', { id: 'example' }, scores.element, h('div', {}, text, pixels.element)),
  );
}

function titleOf({ label, scores }: Example, { classes }: NetworkData): string {
  const answer = scores.indexOf(Math.max(...scores));
  return answer === label
    ? `An image of class ${classes[label]}, which the network gets right`
    : `An image of class ${classes[label]}, which the network takes for ${classes[answer]}`;
}

/** Radio buttons with the images. */
function chooser({ examples, classes }: NetworkData, choose: (example: Example) => void): HTMLElement {
  return h(
    'fieldset',
    { class: 'thumbnails' },
    h('legend', {}, 'Images of the batch'),
    examples.map((example, i) => {
      const { label, scores } = example;
      const isRight = scores.indexOf(Math.max(...scores)) === label;
      const canvas = new PixelCanvas();
      canvas.draw(imageColours(bytesOf(example.pixels)), '');
      canvas.element.setAttribute('aria-hidden', 'true');
      canvas.element.removeAttribute('role');
      const input = h('input', { type: 'radio', name: 'image', class: 'hidden', checked: i === 0 });
      input.addEventListener('change', () => choose(example));
      return h(
        'label',
        {},
        input,
        canvas.element,
        h(
          'span',
          {},
          classes[label],
          h('span', { class: `answer ${isRight ? 'right' : 'wrong'}` }, isRight ? ' ✓' : ' ✗'),
        ),
      );
    }),
  );
}
