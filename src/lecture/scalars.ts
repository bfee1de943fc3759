import type { FormulaExample } from './example.ts';

/** Graphs of single numbers. */
export const SCALARS: readonly FormulaExample[] = [
  {
    name: 'product',
    title: "(x + y) z: the lecture's first example",
    text:
      'Three numbers and two gates. The values flow forward to f. Then the gradient of f flows back, and each gate ' +
      'multiplies what arrives by its local gradient.',
    exercise: { question: 'What is the gradient at x, ∂f/∂x?', wire: 'x' },
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
    text:
      'A neuron with two inputs. Its sigmoid, 1/(1 + exp(-s)), is taken apart into gates whose local gradients are ' +
      'easy to write down.',
    exercise: { question: 'What is the gradient at w0? Two digits are enough, as on the slides.', wire: 'w0' },
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
    text: 'The sigmoid can also be one gate. Its local gradient needs nothing but its value: (1 - σ) σ.',
    exercise: { question: 'What is the gradient at s? Two digits are enough.', wire: 's' },
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
    text:
      'An expression that nobody wants to differentiate as a whole. In stages, it does not have to be: each of ' +
      'them is simple.',
    exercise: { question: 'What is the gradient at invden? Two digits are enough.', wire: 'invden' },
    formula:
      'sigy = sigmoid(y); num = x + sigy; sigx = sigmoid(x); xpy = x + y; xpysqr = xpy^2; ' +
      'den = sigx + xpysqr; invden = 1/den; f = num*invden',
    values: { x: 3, y: -4 },
    notes: [
      'Split into stages, the expression never has to be differentiated as a whole. From the course notes on backpropagation.',
    ],
  },
];
