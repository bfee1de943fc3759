import { nested, parseAssignments } from '../../../explain/expression/values.ts';
import { h } from '../../../report/page/dom.ts';
import type { ValuesByName } from '../../question.ts';
import type { State } from '../state.ts';

type Open = (what: string, values: ValuesByName) => Promise<string | undefined>;

/** A form for another expression, with its values as on the command line. */
export class ExpressionForm {
  readonly #expression = h('input', { id: 'expression', type: 'text', spellcheck: 'false', autocomplete: 'off' });
  readonly #values = h('input', { id: 'values', type: 'text', spellcheck: 'false', autocomplete: 'off' });
  /** Set in a font of fixed width, as it points at a place of the expression. */
  readonly #problem = h('pre', { id: 'expression-problem', role: 'alert' });
  readonly element: HTMLFormElement;
  #isEdited = false;

  constructor(open: Open) {
    this.element = h(
      'form',
      { 'aria-labelledby': 'expression-title' },
      h('h2', { id: 'expression-title' }, 'Another expression'),
      h('label', {}, h('span', {}, 'Expression'), this.#expression),
      h('label', {}, h('span', {}, 'Values, such as x=-2 W=[[1,2],[3,4]]; by default 1'), this.#values),
      h('button', { type: 'submit' }, 'Draw it'),
      this.#problem,
      h(
        'p',
        { class: 'quiet' },
        'Operators + - * / ^ and .* (element by element); functions exp log sqrt abs max min sigmoid tanh relu step sum norm2 ' +
          'transpose (T). Statements are separated by ; and name their value with =. The address of the page keeps both.',
      ),
    );
    for (const field of [this.#expression, this.#values])
      field.addEventListener('input', () => (this.#isEdited = true));
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit(open);
    });
  }

  async #submit(open: Open): Promise<void> {
    this.#isEdited = false;
    let problem: string | undefined;
    try {
      problem = await open(this.#expression.value, parseAssignments(wordsOf(this.#values.value)));
    } catch (error) {
      problem = (error as Error).message;
    }
    this.reject(this.#expression.value, problem);
    if (problem === undefined) scrollTo(0, 0);
  }

  /** Shows an expression with what is wrong with it, if anything is. */
  reject(expression: string, problem: string | undefined): void {
    this.#isEdited = problem !== undefined;
    if (problem !== undefined) this.#show(expression, problem);
  }

  #show(expression: string, problem: string): void {
    this.#expression.value = expression;
    this.#problem.textContent = problem;
    this.#expression.setAttribute('aria-invalid', String(problem !== ''));
  }

  /** Follows the graph, unless something else is being typed. */
  update({ question, values }: State): void {
    if (this.#isEdited) return;
    this.#show(question.formula ?? question.what, '');
    const short = [...values].filter(([, value]) => value.values.length <= 100);
    this.#values.value = short.map(([name, value]) => `${name}=${JSON.stringify(nested(value))}`).join(' ');
  }
}

/** Splits at blanks and commas outside of brackets. */
function wordsOf(text: string): string[] {
  const words = [''];
  let depth = 0;
  for (const character of text.replace(/\s*=\s*/g, '=')) {
    depth += { '[': 1, ']': -1 }[character] ?? 0;
    if (depth === 0 && /[\s,;]/.test(character)) words.push('');
    else words[words.length - 1] += character;
  }
  return words.filter((word) => word !== '');
}
