import type { Values } from '../../../explain/expression/values.ts';
import { type Detail, isScalar, linesOf, numberText } from '../../../explain/format.ts';
import { h } from '../../../report/page/dom.ts';

const DETAIL: Detail = { digits: 4, rows: 6, columns: 6, gap: 2 };

/** A tensor as a number or as rows, in a colour. */
export function numbers(values: Values, kind: 'value' | 'gradient' | 'local'): HTMLElement {
  return isScalar(values)
    ? h('span', { class: `${kind} number` }, shortText(values))
    : h('span', { class: `${kind} matrix` }, linesOf(values, DETAIL).join('\n'));
}

/** The only element of a tensor, to four digits. */
export function shortText({ values }: Values): string {
  return numberText(values[0], DETAIL.digits);
}
