import { nested, shownShape, type Values } from '../../../explain/expression/values.ts';
import { h } from '../../../report/page/dom.ts';
import { knownAt } from '../../steps.ts';
import { wiresOf } from '../../wires.ts';
import type { State, View } from '../state.ts';

/** Numbers of a tensor that are shown in full. */
const MAX_NUMBERS = 200;

/** Every digit of the wire at which the pointer or the focus is. */
export class WireView implements View {
  readonly #body = h('div', { id: 'wire' });
  readonly element = h(
    'section',
    { 'aria-labelledby': 'wire-title' },
    h('h2', { id: 'wire-title' }, 'A wire in full'),
    this.#body,
  );

  update({ explanation, inspected, step }: State): void {
    const found = inspected === undefined ? undefined : wiresOf(explanation).get(inspected);
    if (!found) {
      this.#body.replaceChildren(h('p', { class: 'quiet' }, 'Point at a wire, tap it, or go to it with the tab key.'));
      return;
    }
    const known = knownAt(explanation, step);
    const { wire, gradient, from } = found;
    const shape = shownShape(wire.value.shape);
    const line = (term: string, kind: string, values: Values | undefined, isKnown: boolean) => [
      h('dt', {}, term),
      h('dd', { class: kind }, !values ? 'none flows here' : isKnown ? fullText(values) : 'not yet computed'),
    ];
    this.#body.replaceChildren(
      h('h3', {}, from === undefined ? wire.name : `${wire.name} → ${from}`),
      h(
        'dl',
        {},
        h('dt', {}, 'shape'),
        h('dd', {}, shape.length === 0 ? 'a scalar' : `[${shape.join(', ')}]`),
        line('value', 'value', wire.value, known.values.has(wire.id)),
        line('gradient', 'gradient', gradient, known.gradients.has(inspected!)),
      ),
    );
  }
}

function fullText(values: Values): string {
  if (values.values.length > MAX_NUMBERS) {
    return `${Array.from(values.values).slice(0, MAX_NUMBERS).join(', ')}, …`;
  }
  return JSON.stringify(nested(values)).replaceAll(',', ', ').replaceAll('], [', '],\n[');
}
