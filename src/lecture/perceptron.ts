import type { FormulaExample } from './example.ts';

/** An example that is on the wrong side: its class d is 1, and w·x + b < 0. */
const [W, X, B] = [[0.5, -1], [1, 2], 0.25];

/** Rosenblatt's rule with α = 1: w ← w + α (d − y) x, b ← b + α (d − y), for the class d = 1 and the output y = 0. */
const MOVED = { W: W.map((w, i) => w + X[i]), B: B + 1 };

export const PERCEPTRON: FormulaExample = {
  name: 'perceptron',
  title: 'the perceptron: a threshold, and nothing flows back',
  formula: 's = sum(w .* x) + b; y = step(s)',
  values: { w: W, x: X, b: B },
  notes: [
    'The step is flat on both sides of 0: its local gradient is 0, so every gradient is, and backpropagation learns nothing.',
    `Rosenblatt's rule (1957) does without: w ← w + α (d - y) x. With the wanted output d = 1 and α = 1, w becomes ` +
      `[${MOVED.W.join(', ')}] and b becomes ${MOVED.B}; then w·x + b = ${scoreOf(MOVED.W, MOVED.B)}, and y = 1.`,
  ],
};

function scoreOf(w: readonly number[], b: number): number {
  return w.reduce((score, weight, i) => score + weight * X[i], b);
}
