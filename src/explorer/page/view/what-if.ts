import { sizeOf } from '../../../backends/backend.ts';
import type { ExplainedWire, Explanation } from '../../../explain/explanation.ts';
import type { Values } from '../../../explain/expression/values.ts';
import { numberText } from '../../../explain/format.ts';
import { h } from '../../../report/page/dom.ts';
import { elementName, replaced } from '../../elements.ts';
import { knownAt } from '../../steps.ts';
import type { State, View } from '../state.ts';

/** Elements of a leaf that can be chosen. */
const MAX_ELEMENTS = 100;

/** Moves one number by h and compares how the output moves with what the gradient predicts. */
export class WhatIfView implements View {
  readonly #leaf = h('select', { id: 'what-if-leaf' });
  readonly #h = h('input', { type: 'number', step: 'any', value: 0.1, id: 'what-if-h' });
  readonly #result = h('div', { id: 'what-if-result', 'aria-live': 'polite' });
  readonly element = h(
    'section',
    { 'aria-labelledby': 'what-if-title' },
    h('h2', { id: 'what-if-title' }, 'What if …?'),
    h('p', { class: 'fields' }, h('label', {}, 'If ', this.#leaf), ' ', h('label', {}, 'rises by ', this.#h)),
    this.#result,
  );
  #state!: State;
  #wanted = 0;
  #isPredicted = false;

  constructor() {
    for (const field of [this.#leaf, this.#h]) field.addEventListener('input', () => void this.#compute());
  }

  update(state: State): void {
    const isSame = this.#state?.question === state.question;
    const before = this.#state?.explanation;
    const isComputed = isSame && before === state.explanation && this.#isPredicted === this.#isKnown(state);
    this.#state = state;
    if (!isSame || before?.output.id !== state.explanation.output.id) {
      this.#leaf.replaceChildren(...choicesOf(state));
    }
    if (!isComputed) void this.#compute();
  }

  /** Whether the gradient of the chosen leaf has been computed at the step. */
  #isKnown({ explanation, step }: State): boolean {
    const leaf = this.#chosen(explanation);
    return leaf !== undefined && knownAt(explanation, step).gradients.has(leaf.id);
  }

  #chosen({ leaves }: Explanation): ExplainedWire | undefined {
    const [name] = JSON.parse(this.#leaf.value || '[]') as [string?];
    return leaves.find((leaf) => leaf.name === name);
  }

  async #compute(): Promise<void> {
    const { question, values, answer, explanation } = this.#state;
    const wanted = ++this.#wanted;
    this.#isPredicted = this.#isKnown(this.#state);
    const [name, index] = JSON.parse(this.#leaf.value || '[]') as [string, number];
    const step = this.#h.valueAsNumber;
    const gradient = this.#chosen(explanation)?.gradient?.values[index];
    const start = values.get(name);
    if (!start || gradient === undefined || !Number.isFinite(step)) {
      this.#result.replaceChildren('Give a number.');
      return;
    }
    try {
      const moved = new Map(values).set(name, replaced(start, index, start.values[index] + step));
      const outputs = await question.evaluate(moved);
      if (wanted === this.#wanted) this.#show(outputs[answer.explanations.indexOf(explanation)], gradient * step);
    } catch (error) {
      if (wanted === this.#wanted) this.#result.replaceChildren((error as Error).message);
    }
  }

  #show(after: Values, predicted: number): void {
    const { output, upstream } = this.#state.explanation;
    const { name, value } = output;
    const [from, to] = [value, after].map((one) => weighted(one, upstream));
    const shown = sizeOf(value.shape) === 1 ? name : `the sum of upstream × ${name}`;
    const text = (number: number) => numberText(number, 6);
    this.#result.replaceChildren(
      h('p', {}, `${shown} goes from ${text(from)} to `, h('strong', { class: 'value' }, text(to)), '.'),
      h(
        'dl',
        {},
        h('dt', {}, 'it moves by'),
        h('dd', { class: 'value' }, text(to - from)),
        h('dt', {}, 'gradient × h predicts'),
        this.#isPredicted
          ? h('dd', { class: 'gradient' }, text(predicted))
          : h('dd', { class: 'quiet' }, 'not yet computed'),
      ),
    );
  }
}

/** The scalar whose gradients are shown: Σ upstream ⊙ output. */
function weighted({ values }: Values, upstream: Values): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += upstream.values[i] * values[i];
  return sum;
}

/** The elements of the leaves to which a gradient flows. */
function choicesOf({ values, explanation }: State): HTMLElement[] {
  const differentiated = explanation.leaves.filter(({ name, gradient }) => gradient && values.has(name));
  return differentiated.flatMap(({ name, value: { shape, values: numbers } }) =>
    Array.from({ length: Math.min(MAX_ELEMENTS, numbers.length) }, (_, index) =>
      h('option', { value: JSON.stringify([name, index]) }, elementName(name, shape, index)),
    ),
  );
}
