import { isScalar } from '../../../explain/format.ts';
import { h } from '../../../report/page/dom.ts';
import { subjectOf } from '../../question.ts';
import type { Actions, State, View } from '../state.ts';

/** What the page shows: title, expression, the colours, and which output is differentiated. */
export class HeadingView implements View {
  readonly title = h('h1', { tabindex: -1 });
  readonly #formula = h('p', { class: 'formula' });
  readonly #outputs = h('div', { class: 'outputs' });
  readonly #upstream = h('p', { class: 'quiet' });
  readonly #text = h('p');
  readonly element: HTMLElement;
  readonly #actions: Actions;

  constructor(actions: Actions) {
    this.#actions = actions;
    this.element = h(
      'header',
      {},
      this.title,
      this.#formula,
      this.#text,
      h(
        'p',
        { class: 'legend' },
        h('span', { class: 'value' }, 'Green: the value of a wire.'),
        ' ',
        h(
          'span',
          { class: 'gradient' },
          'Red: its gradient, how many times as much the output changes if the value changes a little.',
        ),
        ' Change a number, or step through the gates.',
      ),
      this.#outputs,
      this.#upstream,
    );
  }

  update({ question, isAsked, answer, explanation }: State): void {
    const { output, upstream } = explanation;
    this.title.textContent = isAsked ? subjectOf(question.example!) : question.title;
    this.#formula.textContent = question.formula === question.title ? '' : (question.formula ?? '');
    this.#text.textContent = question.example?.text ?? '';
    this.#upstream.textContent = isScalar(output.value)
      ? ''
      : Array.from(upstream.values).every((value) => value === 1)
        ? `${output.name} has several elements; the gradients are those of their sum.`
        : `The backward pass starts from the given upstream gradient of ${output.name}.`;
    const several = answer.explanations.length > 1;
    const buttons = answer.explanations.map((one) => {
      const isChosen = one === explanation;
      const button = h('button', { type: 'button', 'aria-pressed': String(isChosen) }, one.output.name);
      button.addEventListener('click', () => {
        this.#actions.choose(one.output.id);
        this.#outputs.querySelector<HTMLElement>('[aria-pressed=true]')?.focus();
      });
      return button;
    });
    this.#outputs.replaceChildren(...(several ? ['Gradients of the output ', ...buttons] : []));
  }
}

/** Remarks on the numbers of an example, which would answer its exercise. */
export class NotesView implements View {
  readonly element = h('div', { class: 'notes' });

  update({ question, isAsked }: State): void {
    this.element.replaceChildren(...(isAsked ? [] : question.notes.map((note) => h('p', {}, note))));
  }
}
