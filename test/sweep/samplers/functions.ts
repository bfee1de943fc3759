import { readFileSync } from 'node:fs';
import type { Dimension } from '../../../src/sweep/samplers/sampler.ts';

/** A function to be minimised, and the dimensions of its arguments. */
export interface TestFunction {
  readonly names: readonly string[];
  readonly dimensions: readonly Dimension[];
  /** The arguments at a point. */
  at(point: readonly number[]): readonly number[];
  value(...arguments_: readonly number[]): number;
}

const RANGE: Dimension = { levels: Infinity, isOrdered: true };
const between = (low: number, high: number, x: number) => low + x * (high - low);
const logBetween = (low: number, high: number, x: number) => Math.exp(between(Math.log(low), Math.log(high), x));

/** Source: L. C. W. Dixon and G. P. Szegő, "Towards Global Optimisation 2" (1978). The minimum is 0.397887. */
const branin: TestFunction = {
  names: ['x', 'y'],
  dimensions: [RANGE, RANGE],
  at: ([x, y]) => [between(-5, 10, x), between(0, 15, y)],
  value: (x, y) =>
    (y - (5.1 / (4 * Math.PI * Math.PI)) * x * x + (5 / Math.PI) * x - 6) ** 2 +
    10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
    10,
};

const C = [1, 1.2, 3, 3.2];
const A = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const P = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

/** Source: J. K. Hartman, "Some experiments in global optimization" (1973). The minimum is −3.32237. */
const hartmann6: TestFunction = {
  names: ['x0', 'x1', 'x2', 'x3', 'x4', 'x5'],
  dimensions: Array.from({ length: 6 }, () => RANGE),
  at: (point) => point,
  value: (...x) => {
    const exponent = (i: number) => x.reduce((sum, xj, j) => sum + A[i][j] * (xj - P[i][j]) ** 2, 0);
    return -C.reduce((sum, c, i) => sum + c * Math.exp(-exponent(i)), 0);
  },
};

const rosenbrock = (x: number, y: number) => 100 * (y - x * x) ** 2 + (1 - x) ** 2;
const camel = (x: number, y: number) => (4 - 2.1 * x ** 2 + x ** 4 / 3) * x ** 2 + x * y + (4 * y ** 2 - 4) * y ** 2;
const beale = (x: number, y: number) =>
  (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2;

/** Two choices and two numbers. Source: Func-2C of B. Ru et al., "Bayesian Optimisation over Multiple Continuous and
 *  Categorical Inputs" (2020). */
const func2c: TestFunction = {
  names: ['h1', 'h2', 'x', 'y'],
  dimensions: [{ levels: 3, isOrdered: false }, { levels: 5, isOrdered: false }, RANGE, RANGE],
  at: ([h1, h2, x, y]) => [Math.floor(3 * h1), Math.floor(5 * h2), between(-1, 1, x), between(-1, 1, y)],
  value: (h1, h2, x, y) => {
    const parts = [rosenbrock(2 * x, 2 * y) / 300, camel(2 * x, 2 * y) / 10, beale(2 * x, 2 * y) / 50];
    return parts[h1] + parts[Math.min(h2, 2)];
  },
};

const TABLE = JSON.parse(
  readFileSync(new URL('../../fixtures/linear-sweep.json', import.meta.url), 'utf8'),
) as Readonly<Record<'batchSize' | 'lr' | 'weightDecay' | 'accuracy', readonly number[]>>;

/** Interval of a grid of numbers, and the share of its logarithm that is below the value. */
function place(grid: readonly number[], value: number): [interval: number, share: number] {
  const i = Math.max(
    0,
    grid.findLastIndex((one, k) => one <= value && k < grid.length - 1),
  );
  return [i, Math.log(value / grid[i]) / Math.log(grid[i + 1] / grid[i])];
}

/** Error of the linear model on the validation images: of the measured configurations, interpolated between their
 *  logarithms. */
const linearModel: TestFunction = {
  names: ['batchSize', 'lr', 'weightDecay'],
  dimensions: [{ levels: 4, isOrdered: true }, RANGE, RANGE],
  at: ([b, lr, decay]) => [
    TABLE.batchSize[Math.floor(4 * b)],
    logBetween(1e-4, 1e-1, lr),
    logBetween(1e-5, 1e-1, decay),
  ],
  value: (batchSize, lr, weightDecay) => {
    const [[i, s], [j, t]] = [place(TABLE.lr, lr), place(TABLE.weightDecay, weightDecay)];
    const batch = TABLE.batchSize.indexOf(batchSize);
    const accuracy = (di: number, dj: number) =>
      TABLE.accuracy[(batch * TABLE.lr.length + i + di) * TABLE.weightDecay.length + j + dj];
    const along = (di: number) => between(accuracy(di, 0), accuracy(di, 1), t);
    return 1 - between(along(0), along(1), s);
  },
};

export const FUNCTIONS: Readonly<Record<string, TestFunction>> = { branin, hartmann6, func2c, linearModel };
