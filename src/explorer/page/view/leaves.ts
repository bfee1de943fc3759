import type { Values } from '../../../explain/expression/values.ts';
import { h } from '../../../report/page/dom.ts';
import { elementName } from '../../elements.ts';
import type { Actions, State, View } from '../state.ts';

/** A larger tensor has one field, for the element whose number is given. */
const MAX_CELLS = 100;

/** Fields to change the leaves: by typing, with the arrow keys, and for a scalar by dragging. */
export class LeavesView implements View {
  readonly #list = h('div', { id: 'leaves' });
  readonly element = h(
    'section',
    { 'aria-labelledby': 'leaves-title' },
    h('h2', { id: 'leaves-title' }, 'Inputs to change'),
    h('p', { class: 'quiet' }, 'Type a number, press the up and down arrow keys, or drag. Everything follows at once.'),
    this.#list,
  );
  readonly #actions: Actions;
  #state!: State;
  /** Brings a field up to date with the state. */
  #refresh: (() => void)[] = [];

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  update(state: State): void {
    const isSame = this.#state?.question === state.question;
    this.#state = state;
    if (!isSame) {
      this.#refresh = [];
      this.#list.replaceChildren(...Array.from(state.values, ([name, values]) => this.#leaf(name, values)));
    }
    for (const refresh of this.#refresh) refresh();
  }

  #leaf(name: string, { shape, values }: Values): HTMLElement {
    if (values.length > MAX_CELLS) return this.#large(name, values.length);
    if (shape.length === 0) return this.#scalar(name);
    const [rows, columns = 1] = shape;
    const cells = Array.from({ length: rows }, (_, i) =>
      h(
        'div',
        { class: 'row' },
        Array.from({ length: columns }, (_, j) =>
          this.#field(name, () => i * columns + j, elementName(name, shape, i * columns + j)),
        ),
      ),
    );
    const grid = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': `elements of ${name}` }, cells);
    return h('fieldset', {}, h('legend', {}, name), grid);
  }

  #scalar(name: string): HTMLElement {
    const slider = h('input', { type: 'range', step: 0.1, 'aria-label': `${name}, by dragging` });
    slider.addEventListener('input', () => this.#set(name, 0, Number(slider.value)));
    this.#refresh.push(() => {
      const value = this.#valueOf(name, 0);
      if (Number(slider.value) === value) return;
      const limit = Math.max(10, Math.ceil(2 * Math.abs(value)));
      [slider.min, slider.max] = [String(-limit), String(limit)];
      slider.value = String(value);
    });
    const label = h(
      'label',
      {},
      h('span', { class: 'name' }, name),
      this.#field(name, () => 0),
    );
    return h('div', { class: 'leaf' }, label, slider);
  }

  #large(name: string, count: number): HTMLElement {
    const at = h('input', { type: 'number', min: 0, max: count - 1, step: 1, value: 0 });
    const index = () => Math.min(count - 1, Math.max(0, Math.trunc(Number(at.value) || 0)));
    const field = this.#field(name, index, `value of this element of ${name}`);
    at.addEventListener('input', () => {
      for (const refresh of this.#refresh) refresh();
    });
    const label = h('label', {}, h('span', {}, `element (of ${count}, row by row)`), at);
    return h('fieldset', {}, h('legend', {}, name), h('div', { class: 'leaf' }, label, field));
  }

  /** A field for one element. @param label its accessible name, if no element labels it. */
  #field(name: string, index: () => number, label?: string): HTMLInputElement {
    const field = h('input', { type: 'number', step: 'any', 'aria-label': label, 'data-leaf': name });
    field.addEventListener('input', () => {
      const value = field.valueAsNumber;
      if (Number.isFinite(value)) this.#set(name, index(), value);
    });
    this.#refresh.push(() => {
      const value = this.#valueOf(name, index());
      if (field.valueAsNumber !== value && !(document.activeElement === field && field.value === '')) {
        field.value = String(value);
      }
    });
    return field;
  }

  #valueOf(name: string, index: number): number {
    return this.#state.values.get(name)!.values[index];
  }

  #set(name: string, index: number, value: number): void {
    this.#actions.edit(name, index, value);
  }
}
