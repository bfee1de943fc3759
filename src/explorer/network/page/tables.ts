import { memory, operations } from '../../../format.ts';
import { definitions, h, table } from '../../../report/page/dom.ts';
import type { NetworkData } from '../network-data.ts';
import { short } from '../number.ts';

/** What was measured, and every wire and gate of the graph as text. */
export function tablesSection({ facts, wires, gates }: NetworkData): HTMLElement {
  const mean = (value: number | null) => (value === null ? '–' : short(value));
  const flops = (count: number) => (count === 0 ? '–' : operations(count));
  return h(
    'section',
    { 'aria-labelledby': 'step-title' },
    h('h2', { id: 'step-title' }, 'The step in numbers'),
    definitions(facts),
    h(
      'details',
      { id: 'tables' },
      h('summary', {}, 'All wires and gates'),
      table(
        'Wires',
        [
          { title: 'wire', cell: ({ name }) => name },
          { title: 'shape', cell: ({ shape }) => `[${shape.join(', ')}]` },
          { title: 'memory', numeric: true, cell: ({ bytes }) => memory(bytes) },
          { title: 'mean |value|', numeric: true, cell: ({ meanValue }) => mean(meanValue) },
          { title: 'mean |gradient|', numeric: true, cell: ({ meanGradient }) => mean(meanGradient) },
        ],
        wires,
      ),
      table(
        'Gates',
        [
          { title: 'gate', cell: ({ gate, inputs, output }) => `${output} = ${gate} (${inputs.join(', ')})` },
          { title: 'forward', numeric: true, cell: ({ forward }) => flops(forward) },
          { title: 'backward', numeric: true, cell: ({ backward }) => flops(backward) },
        ],
        gates,
      ),
    ),
  );
}
