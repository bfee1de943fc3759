import type { FormulaExample } from './example.ts';

/** A misclassified input: its class d is 1, but w·x + b < 0. */
const [W, X, B] = [[0.5, -1], [1, 2], 0.25];

/** Rosenblatt's rule with α = 1: w ← w + α (d − y) x, b ← b + α (d − y), for the class d = 1 and the output y = 0. */
const UPDATED = { W: W.map((w, i) => w + X[i]), B: B + 1 };

export const PERCEPTRON: FormulaExample = {
  name: 'perceptron',
  title: 'perceptron: no gradient flows back through the threshold',
  text: 'The first learning machine ends with a threshold: y = 1 if s > 0, else 0.',
  exercise: { question: 'What is the gradient at w[0]?', wire: 'w' },
  formula: 's = sum(w .* x) + b; y = step(s)',
  values: { w: W, x: X, b: B },
  notes: [
    'The step function is flat on both sides of 0. Its local gradient is 0, so all gradients are, and nothing is learned.',
    `Rosenblatt's rule (1957) needs no gradient: w ← w + α (d - y) x. With the target d = 1 and α = 1, w becomes ` +
      `[${UPDATED.W.join(', ')}] and b becomes ${UPDATED.B}; then w·x + b = ${scoreOf(UPDATED.W, UPDATED.B)}, and y = 1.`,
  ],
};

function scoreOf(w: readonly number[], b: number): number {
  return w.reduce((score, weight, i) => score + weight * X[i], b);
}
