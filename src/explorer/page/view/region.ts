import { h } from '../../../report/page/dom.ts';

/** The part of a page that holds the drawing of a graph, and scrolls. */
export function drawingRegion(): HTMLElement {
  return h('div', { id: 'drawing', class: 'scroll', role: 'region', tabindex: 0, 'aria-label': 'The graph' });
}
