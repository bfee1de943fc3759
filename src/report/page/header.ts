import type { DatasetName } from '../../images.ts';
import { type Child, type Entries, h } from './dom.ts';

/** The parts of a page. */
export interface Page {
  readonly title: string;
  readonly header: Child;
  readonly sections: readonly HTMLElement[];
}

/** Notice about the state of what the page shows. */
export const stateNotice = (strong: string, ...more: readonly Child[]): HTMLElement =>
  h('div', { class: 'notice', id: 'state' }, h('p', { role: 'status' }, h('strong', {}, strong), ...more));

/** Notice about what is still in progress, with a bar. @param unit of the bar, such as "Epochs done". */
export function progressNotice(
  strong: string,
  more: Child,
  { value, max, unit }: { readonly value: number; readonly max: number; readonly unit: string },
): HTMLElement {
  return h(
    'div',
    { class: 'notice', id: 'state' },
    h('p', {}, h('strong', { role: 'status' }, strong), more),
    h('progress', { max, value, 'aria-label': unit }),
  );
}

/** Warning that generated images were used instead of CIFAR-10. @param subject such as "The run". */
export function dataNotice(subject: string, dataset: DatasetName): Child {
  if (dataset === 'cifar10') return null;
  return h(
    'div',
    { class: 'notice alarm', id: 'data-notice' },
    h(
      'p',
      {},
      h('strong', {}, 'This is not CIFAR-10.'),
      ` ${subject} used generated stand-in images (dataset `,
      h('code', {}, dataset),
      '), so its accuracy says nothing about real images.',
    ),
  );
}

/** The result as one large number. @param margin its uncertainty, if known. */
export const big = (value: string, margin: string, name: Child): HTMLElement =>
  h(
    'p',
    { class: 'big' },
    h('span', { class: 'value' }, value),
    margin ? h('span', { class: 'margin' }, margin) : null,
    h('span', { class: 'what' }, name),
  );

/** The next most important facts, in a row. */
export function facts(entries: Entries): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    entries.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))),
  );
}
