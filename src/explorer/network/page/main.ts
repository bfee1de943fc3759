import { h } from '../../../report/page/dom.ts';
import type { NetworkData } from '../network-data.ts';
import { exampleSection } from './example/section.ts';
import { GraphView } from './graph.ts';
import { tablesSection } from './tables.ts';
import { WirePanel } from './wire/panel.ts';

const data: NetworkData = JSON.parse(document.getElementById('data')!.textContent);

/** The wire that is shown first: the weights that see the images. */
const first = data.wires.find(({ filters }) => filters)!.name;

const panel = new WirePanel(data);
const graph = new GraphView(data, first, (wire) => panel.show(wire));
document.body.append(
  h(
    'main',
    {},
    h(
      'header',
      {},
      h('h1', {}, data.title),
      h(
        'p',
        { class: 'legend' },
        'One training step, forward and backward. On each wire: ',
        h('span', { class: 'value' }, 'shape, memory and mean |value|'),
        '; ',
        h('span', { class: 'gradient' }, 'mean |gradient| of the loss'),
        '. Point at a wire to see its numbers; tap it, or go to it with the tab key, to keep them. The enter key goes to the numbers, and escape back to the wire.',
      ),
    ),
    h('div', { id: 'network' }, graph.element, panel.element),
    exampleSection(data),
    tablesSection(data),
  ),
  h('footer', {}, `${data.generator} · This file is self-contained: it works offline and can be shared.`),
);
panel.element.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') graph.focus();
});
panel.show(first);
