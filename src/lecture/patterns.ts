import type { FormulaExample } from './example.ts';

/** What gates do to gradients. */
export const PATTERNS: readonly FormulaExample[] = [
  {
    name: 'add',
    title: 'an add gate distributes: both inputs get the same gradient',
    formula: 's = x + y; f = 2*s',
    values: { x: 3, y: -4 },
    notes: ['The local gradients of + are 1 and 1, so the upstream gradient 2 goes to both inputs as it is.'],
  },
  {
    name: 'multiply',
    title: "a multiply gate switches: each input gets the other's value",
    formula: 'p = x*y; f = 2*p',
    values: { x: 3, y: -4 },
    notes: [
      'The smaller input gets the larger gradient. That is why the scale of the data matters: with inputs a thousand times ' +
        'as large, the gradients of the weights are, too.',
    ],
  },
  {
    name: 'max',
    title: 'a max gate routes: the larger input gets everything',
    formula: 'm = max(z, w); f = 2*m',
    values: { z: 2, w: -1 },
    notes: ['A small change of w changes nothing. At a tie, the first of the two gets the gradient.'],
  },
  {
    name: 'copy',
    title: 'a copy adds: gradients from several gates meet and are summed',
    formula: 'f = x*y + x*z',
    values: { x: 3, y: -4, z: 2 },
    notes: ['x feeds two gates, so a change of x reaches f in two ways, and df/dx = y + z.'],
  },
  {
    name: 'patterns',
    title: '2 (xy + max(z, w)): the patterns together',
    formula: 'f = 2*(x*y + max(z, w))',
    values: { x: 3, y: -4, z: 2, w: -1 },
    notes: ['+ distributes the gradient, max routes it to z, and * switches: x gets -4 · 2 and y gets 3 · 2.'],
  },
  {
    name: 'branch',
    title: 'a value inside the graph that branches',
    formula: 'q = x + y; f = q*z + q^2',
    values: { x: -2, y: 5, z: -4 },
    notes: ['df/dq is the sum over the branches, z + 2q; only that sum goes on to x and y.'],
  },
];
