import type { FormulaExample } from './example.ts';

/** Graphs of single numbers. */
export const SCALARS: readonly FormulaExample[] = [
  {
    name: 'product',
    title: "(x + y) z: the lecture's first example",
    formula: 'q = x + y; f = q * z',
    values: { x: -2, y: 5, z: -4 },
    notes: [
      'Each gate knows only its local gradients. The chain rule multiplies them by what comes from upstream: ' +
        'df/dx = df/dq · dq/dx = -4 · 1.',
    ],
  },
  {
    name: 'sigmoid',
    title: 'a neuron with a sigmoid, gate by gate',
    formula: '1/(1+exp(-(w0*x0+w1*x1+w2)))',
    values: { w0: 2, x0: -1, w1: -3, x1: -2, w2: -3 },
    notes: [
      'To two digits, as on the slides: f = 0.73, and the gradient 0.20 reaches w2 and both products. 1/x, +1, exp and ×−1 ' +
        'make the sigmoid; sigmoid-gate has it in one piece.',
    ],
  },
  {
    name: 'sigmoid-gate',
    title: 'the same neuron with the sigmoid as one gate',
    formula: 's = w0*x0 + w1*x1 + w2; f = sigmoid(s)',
    values: { w0: 2, x0: -1, w1: -3, x1: -2, w2: -3 },
    notes: [
      'Gates can be grouped as one likes, as long as the local gradient of the group is known. That of the sigmoid is ' +
        '(1 - σ(s)) σ(s) = 0.269 · 0.731 = 0.197: the same as through the four gates.',
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
      "Nobody wants to derive this by hand as a whole, and nobody has to. From the course's notes on backpropagation.",
    ],
  },
];
