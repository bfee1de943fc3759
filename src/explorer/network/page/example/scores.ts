import { loss as lossText, percent } from '../../../../format.ts';
import { h } from '../../../../report/page/dom.ts';
import type { Example, NetworkData } from '../../network-data.ts';

/** What is differentiated: the score of a class, or the loss. */
export type Target = number | 'loss';

interface Row {
  readonly element: HTMLElement;
  readonly bar: HTMLElement;
  readonly score: HTMLElement;
  readonly probability: HTMLElement;
  readonly mark: HTMLElement;
}

/** The scores of an image as bars, and its loss; one of them is chosen. */
export class ScoresView {
  readonly element: HTMLElement;
  readonly #rows: readonly Row[];
  readonly #loss = h('strong', { id: 'loss', class: 'value' });
  readonly #hasProbabilities: boolean;

  constructor({ classes, loss }: NetworkData, chosen: Target, choose: (target: Target) => void) {
    this.#hasProbabilities = loss === 'softmax';
    const radio = (target: Target) => {
      const input = h('input', { type: 'radio', name: 'target', value: target, checked: target === chosen });
      input.addEventListener('change', () => choose(target));
      return input;
    };
    this.#rows = classes.map((name, label) => rowOf(radio(label), name));
    this.element = h(
      'fieldset',
      { id: 'scores' },
      h('legend', {}, 'The gradient of the score of …'),
      this.#rows.map(({ element }) => element),
      h('p', { class: 'or' }, '… or of'),
      h('label', { class: 'loss' }, radio('loss'), h('span', {}, 'the loss'), this.#loss),
    );
  }

  show({ scores, label, loss }: Example): void {
    const largest = Math.max(...scores.map(Math.abs));
    const highest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - highest));
    const total = weights.reduce((sum, weight) => sum + weight);
    for (const [i, { bar, score, probability, mark }] of this.#rows.entries()) {
      const share = (50 * scores[i]) / largest;
      bar.style.left = `${50 + Math.min(0, share)}%`;
      bar.style.width = `${Math.abs(share)}%`;
      bar.classList.toggle('highest', scores[i] === highest);
      score.textContent = scores[i].toFixed(2).replace('-', '−');
      probability.textContent = this.#hasProbabilities ? percent(weights[i] / total, 1) : '';
      mark.textContent = i === label ? ' (right)' : '';
    }
    this.#loss.textContent = lossText(loss);
  }
}

function rowOf(radio: HTMLElement, name: string): Row {
  const [bar, score, probability, mark] = [
    h('span', { class: 'fill' }),
    h('span', { class: 'score value' }),
    h('span', { class: 'probability' }),
    h('small', {}),
  ];
  const element = h(
    'label',
    {},
    radio,
    h('span', { class: 'class' }, name, mark),
    h('span', { class: 'bar', 'aria-hidden': 'true' }, bar),
    score,
    probability,
  );
  return { element, bar, score, probability, mark };
}
