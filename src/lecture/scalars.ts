import type { FormulaExample } from './example.ts';

/** Graphs of single numbers. */
export const SCALARS: readonly FormulaExample[] = [
  {
    name: 'product',
    title: "(x + y) z: the lecture's first example",
    formula: 'q = x + y; f = q * z',
    values: { x: -2, y: 5, z: -4 },
    notes: [
      'Each gate knows only its local gradients. The chain rule multiplies them by the upstream gradient: ' +
        'df/dx = df/dq · dq/dx = -4 · 1.',
    ],
  },
  {
    name: 'sigmoid',
    title: 'sigmoid neuron, gate by gate',
    formula: '1/(1+exp(-(w0*x0+w1*x1+w2)))',
    values: { w0: 2, x0: -1, w1: -3, x1: -2, w2: -3 },
    notes: [
      'To two digits, as on the slides: f = 0.73, and the gradient of w2 and of both products is 0.20. The gates ×−1, exp, ' +
        '+1 and 1/x form the sigmoid; in the example sigmoid-gate it is a single gate.',
    ],
  },
  {
    name: 'sigmoid-gate',
    title: 'the same neuron with the sigmoid as a single gate',
    formula: 's = w0*x0 + w1*x1 + w2; f = sigmoid(s)',
    values: { w0: 2, x0: -1, w1: -3, x1: -2, w2: -3 },
    notes: [
      'Gates can be grouped freely, as long as the local gradient of the group is known. For the sigmoid it is ' +
        '(1 - σ(s)) σ(s) = 0.269 · 0.731 = 0.197, the same as through the four gates.',
    ],
  },
  {
    name: 'staged',
    title: '(x + σ(y)) / (σ(x) + (x + y)²), in stages',
    formula:
      'sigy = sigmoid(y); num = x + sigy; sigx = sigmoid(x); xpy = x + y; xpysqr = xpy^2; ' +
      'den = sigx + xpysqr; invden = 1/den; f = num*invden',
    values: { x: 3, y: -4 },
    notes: [
      'Split into stages, the expression never has to be differentiated as a whole. From the course notes on backpropagation.',
    ],
  },
];
