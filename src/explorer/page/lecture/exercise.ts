import { numberText } from '../../../explain/format.ts';
import { EXAMPLES } from '../../../lecture/examples.ts';
import { h } from '../../../report/page/dom.ts';
import { askedIn } from '../../exercise.ts';
import { judge } from '../../judge.ts';
import type { Actions, State, View } from '../state.ts';

/** The question of an example: a field for the answer, which is judged at once; then the right answer, and the next example. */
export class ExerciseView implements View {
  readonly #question = h('label', { for: 'answer' });
  readonly #answer = h('input', { id: 'answer', type: 'text', autocomplete: 'off', spellcheck: 'false' });
  readonly #form: HTMLFormElement;
  readonly #verdict = h('p', { id: 'verdict', role: 'status' });
  readonly #next = h('a', { class: 'next' });
  readonly element: HTMLElement;
  readonly #actions: Actions;
  #state!: State;

  constructor(actions: Actions) {
    this.#actions = actions;
    const solve = h('button', { type: 'button' }, 'Show the solution');
    solve.addEventListener('click', () => this.#close('Here is the solution'));
    this.#form = h('form', {}, this.#answer, h('button', { type: 'submit' }, 'Check'), solve);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#judge();
    });
    this.element = h(
      'section',
      { id: 'exercise', 'aria-labelledby': 'exercise-title' },
      h('h2', { id: 'exercise-title' }, 'Your turn'),
      h('p', {}, this.#question),
      this.#form,
      h('p', {}, this.#verdict, this.#next),
    );
  }

  update(state: State): void {
    const isNew = this.#state?.question !== state.question;
    this.#state = state;
    const { example } = state.question;
    this.element.hidden = !example;
    if (!example || !isNew) return;
    this.#question.textContent = example.exercise.question;
    this.#answer.value = '';
    this.#verdict.textContent = '';
    this.#arrange(state.isAsked);
    if (!state.isAsked) this.#verdict.textContent = this.#solution('Done');
  }

  #judge(): void {
    const asked = this.#asked();
    const wrong = judge(this.#answer.value, asked);
    this.#answer.setAttribute('aria-invalid', String(wrong !== undefined));
    if (wrong === undefined) this.#close('Right');
    else {
      this.#verdict.textContent = wrong;
      this.#answer.select();
    }
  }

  /** Shows the solution, and leads on. */
  #close(remark: string): void {
    this.#verdict.textContent = this.#solution(remark);
    this.#arrange(false);
    this.#next.focus();
    this.#actions.answer();
  }

  #arrange(isAsked: boolean): void {
    this.#form.hidden = !isAsked;
    this.element.classList.toggle('done', !isAsked);
    const at = EXAMPLES.findIndex(({ name }) => name === this.#state.question.example?.name);
    const next = EXAMPLES[(at + 1) % EXAMPLES.length];
    this.#next.hidden = isAsked;
    this.#next.href = `#${next.name}`;
    this.#next.textContent = `Next: ${next.name} →`;
  }

  #solution(remark: string): string {
    const { gradient } = this.#asked();
    return `${remark}: ${numberText(gradient, 4)}. Step back through the gates to see how it comes about. `;
  }

  #asked() {
    const { question, answer } = this.#state;
    const { exercise } = question.example!;
    return answer.explanations.map((one) => askedIn(exercise, one)).find((asked) => asked !== undefined)!;
  }
}
