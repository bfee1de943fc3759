import type { FormulaExample } from './example.ts';

/** Patterns in backward flow: how gates pass gradients on. */
export const PATTERNS: readonly FormulaExample[] = [
  {
    name: 'add',
    title: 'add gate: distributes the gradient to both inputs',
    text: 'Patterns in the backward flow, the first: what does a + gate do with the gradient that arrives at its output?',
    exercise: { question: 'What is the gradient at y?', wire: 'y' },
    formula: 's = x + y; f = 2*s',
    values: { x: 3, y: -4 },
    notes: ['Both local gradients of + are 1, so both inputs get the upstream gradient 2 unchanged.'],
  },
  {
    name: 'multiply',
    title: 'multiply gate: each input gets the gradient times the other',
    text: 'The second pattern: what does a * gate do with the gradient that arrives at its output?',
    exercise: { question: 'What is the gradient at x?', wire: 'x' },
    formula: 'p = x*y; f = 2*p',
    values: { x: 3, y: -4 },
    notes: [
      'The smaller input gets the larger gradient. This is why the scale of the data matters: inputs a thousand times as ' +
        'large make the gradients of the weights a thousand times as large.',
    ],
  },
  {
    name: 'max',
    title: 'max gate: routes the gradient to the larger input',
    text: 'The third pattern: what does a max gate do with the gradient that arrives at its output?',
    exercise: { question: 'What is the gradient at w?', wire: 'w' },
    formula: 'm = max(z, w); f = 2*m',
    values: { z: 2, w: -1 },
    notes: ['A small change of w does not change f. In a tie, the first input gets the gradient.'],
  },
  {
    name: 'copy',
    title: 'copy: the gradients of several gates add up',
    text: 'The fourth pattern: x goes to two gates, and each of them sends a gradient back.',
    exercise: { question: 'What is the gradient at x?', wire: 'x' },
    formula: 'f = x*y + x*z',
    values: { x: 3, y: -4, z: 2 },
    notes: ['x feeds two gates, so a change of x reaches f along two paths: df/dx = y + z.'],
  },
  {
    name: 'patterns',
    title: '2 (xy + max(z, w)): the patterns combined',
    text: 'The patterns in one graph, as in the course notes.',
    exercise: { question: 'What is the gradient at y?', wire: 'y' },
    formula: 'f = 2*(x*y + max(z, w))',
    values: { x: 3, y: -4, z: 2, w: -1 },
    notes: [
      '+ distributes the gradient, max routes it to z, and * scales it by the other input: x gets -4 · 2 and y gets 3 · 2.',
    ],
  },
  {
    name: 'branch',
    title: 'an intermediate value that branches',
    text: 'q is computed once and used by two gates.',
    exercise: { question: 'What is the gradient at q?', wire: 'q' },
    formula: 'q = x + y; f = q*z + q^2',
    values: { x: -2, y: 5, z: -4 },
    notes: ['df/dq is the sum over the branches, z + 2q. Only this sum flows on to x and y.'],
  },
];
