import { h } from '../../../report/page/dom.ts';

let groups = 0;

/** A row of radio buttons. The first is chosen. */
export function choice<Value extends string>(
  legend: string,
  options: readonly (readonly [value: Value, text: string])[],
  choose: (value: Value) => void,
): HTMLElement {
  const name = `choice-${groups++}`;
  return h(
    'fieldset',
    { class: 'choice' },
    h('legend', {}, legend),
    options.map(([value, text], i) => {
      const input = h('input', { type: 'radio', name, value, checked: i === 0 });
      input.addEventListener('change', () => choose(value));
      return h('label', {}, input, text);
    }),
  );
}
