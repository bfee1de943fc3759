import { Random } from '../random.ts';
import type { FormulaExample } from './example.ts';

/** Sizes by which the course shows why Jacobians are never built: features of an input and an output, batch size for
 *  `elementwise-max`, and batch size for `matrix`. */
const [LENGTH, RELU_BATCH, MATRIX_BATCH] = [4096, 100, 64];

/** Graphs of vectors and matrices. */
export const VECTORS: readonly FormulaExample[] = [
  {
    name: 'jacobian',
    title: 'f1 = x² − y², f2 = 2xy: two outputs and their Jacobian',
    text:
      'Two outputs. Each has its own gradients, and together they are the Jacobian: one row for each output, one ' +
      'column for each input.',
    exercise: { question: 'What is ∂f2/∂x?', wire: 'x', output: 'f2' },
    formula: 'f1 = x^2 - y^2; f2 = 2*x*y',
    values: { x: 3, y: 2 },
    notes: ['Each output is differentiated on its own: one backward pass gives one row of the Jacobian.'],
  },
  {
    name: 'elementwise-max',
    title: `max(0, x) of ${LENGTH} numbers: a Jacobian that is never built`,
    text:
      'The rectifier of a layer with 4096 units: each element of y depends on one element of x. The gradient that ' +
      'arrives at y is 1 for every element.',
    exercise: { question: 'What is the gradient at x[0], the first element?', wire: 'x' },
    formula: 'y = relu(x)',
    values: { x: normals('elementwise-max', LENGTH) },
    notes: [
      `The Jacobian would be a matrix [${LENGTH}, ${LENGTH}]. But y[i] depends on x[i] only: off the diagonal it is 0, on ` +
        'the diagonal 1 if x[i] > 0, else 0. So the gate multiplies element by element instead.',
      `For a mini-batch of ${RELU_BATCH} it would be [${LENGTH * RELU_BATCH}, ${LENGTH * RELU_BATCH}]: ` +
        `${((4 * (LENGTH * RELU_BATCH) ** 2) / 1e9).toFixed(0)} GB in float32.`,
    ],
  },
  {
    name: 'norm2',
    title: '‖W x‖²: a vectorised example',
    text: 'Vectors and matrices flow through the graph like numbers. norm2 adds up the squares of the elements of q.',
    exercise: { question: 'What is the gradient at q[0], the first element?', wire: 'q' },
    formula: 'q = W*x; f = norm2(q)',
    values: {
      W: [
        [0.1, 0.5],
        [-0.3, 0.8],
      ],
      x: [0.2, 0.4],
    },
    notes: [
      'df/dq = 2q, df/dW = 2q xᵀ and df/dx = 2Wᵀq. A gradient always has the shape of its variable: each element says how ' +
        'much the same element of the variable affects f.',
    ],
  },
  {
    name: 'matrix',
    title: 'X W for a mini-batch, and Wᵀx for a single column',
    text:
      'A mini-batch of two rows, X, times a matrix W. Here the backward pass does not start from ones, but from ' +
      'the gradient that arrives at Y in the lecture.',
    exercise: {
      question: 'What is the gradient at X[0][1], in the first row and second column?',
      wire: 'X',
      element: 1,
    },
    formula: 'Y = X*W; y = T(W)*x',
    values: {
      X: [
        [2, 1, -3],
        [-3, 4, 2],
      ],
      W: [
        [3, 2, 1, -1],
        [2, 1, 3, 2],
        [3, 2, 1, -2],
      ],
      x: [2, 1, -3],
    },
    upstream: {
      Y: [
        [2, 3, -3, 9],
        [-8, 1, 4, 6],
      ],
      y: [2, 3, -3, 9],
    },
    notes: [
      'x is the first row of X as a column, so Wᵀx is the first row of X W. With images in rows, the gradients are ' +
        'dX = dY Wᵀ and dW = Xᵀ dY: only these products have the right shapes.',
      'The slide prints the product as [[13,9,-2,-6],[5,2,17,1]]; the correct one is [[-1,-1,2,6],[5,2,11,7]]. The ' +
        'gradients do not depend on it.',
      `For ${MATRIX_BATCH} rows and ${LENGTH} · ${LENGTH} weights, the Jacobian dY/dX would be a matrix ` +
        `[${MATRIX_BATCH * LENGTH}, ${MATRIX_BATCH * LENGTH}]: ${(4 * (MATRIX_BATCH * LENGTH) ** 2) / 2 ** 30} GiB in float32.`,
    ],
  },
];

/** Seeded standard normal numbers. */
function normals(name: string, count: number): number[] {
  const random = new Random(0, 'lecture', name);
  return Array.from({ length: count }, () => random.normal());
}
