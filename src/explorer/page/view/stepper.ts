import { h } from '../../../report/page/dom.ts';
import { type Step, stepsOf } from '../../steps.ts';
import type { Actions, State, View } from '../state.ts';

/** Buttons and a slider that go through the gates, forward and backward. */
export class StepperView implements View {
  readonly element: HTMLElement;
  readonly #slider = h('input', { type: 'range', min: 0, 'aria-label': 'Step' });
  readonly #label = h('output', { id: 'step' });
  readonly #buttons: Record<'first' | 'back' | 'next' | 'all', HTMLButtonElement>;
  #step = 0;
  #last = 0;

  constructor(actions: Actions) {
    const button = (text: string, target: () => number) => {
      const made = h('button', { type: 'button' }, text);
      made.addEventListener('click', () => actions.goTo(target()));
      return made;
    };
    this.#buttons = {
      first: button('From the start', () => 0),
      back: button('◀ Back', () => this.#step - 1),
      next: button('Step ▶', () => (this.#step === this.#last ? 0 : this.#step + 1)),
      all: button('Show all', () => this.#last),
    };
    this.#slider.addEventListener('input', () => actions.goTo(Number(this.#slider.value)));
    const { first, back, next, all } = this.#buttons;
    this.element = h(
      'div',
      { id: 'stepper', role: 'group', 'aria-label': 'Step through the graph' },
      h('div', { class: 'buttons' }, first, back, next, all),
      this.#slider,
      this.#label,
    );
  }

  update({ explanation, step }: State): void {
    const steps = stepsOf(explanation);
    [this.#step, this.#last] = [step, steps.length - 1];
    this.#slider.max = String(this.#last);
    this.#slider.value = String(step);
    const text = `Step ${step} of ${this.#last}: ${nameOf(steps[step])}`;
    this.#slider.setAttribute('aria-valuetext', text);
    this.#label.textContent = text;
    // A disabled button would lose the focus.
    this.#buttons.back.setAttribute('aria-disabled', String(step === 0));
  }
}

function nameOf(step: Step): string {
  switch (step.kind) {
    case 'leaves':
      return 'the inputs';
    case 'upstream':
      return 'the backward pass begins';
    case 'everything':
      return 'all values and gradients';
    default:
      return `${step.kind} through ${step.gate.name} (${step.gate.output.name})`;
  }
}
