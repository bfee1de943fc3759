import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { muon } from '../../src/optim/muon.ts';
import type { OptimizerSettings } from '../../src/optim/optimizer.ts';
import { sgd } from '../../src/optim/sgd.ts';
import { eigen } from '../support/eigen.ts';
import { normals } from '../support/graphs.ts';

const SETTINGS: OptimizerSettings = { lr: 1, headLr: 1, momentum: 0, nesterov: false, weightDecay: 0 };

/** A parameter of P stacked matrices [F, K], and a function that updates it by a gradient and returns its values. */
function parameter(
  { P, F, K }: Record<'P' | 'F' | 'K', number>,
  settings: Partial<OptimizerSettings> = {},
  start: ArrayLike<number> = new Float64Array(P * F * K),
) {
  const backend = new ReferenceBackend('float64');
  const shape = [P * F, K];
  const [tensor, gradient] = [backend.allocate(shape), backend.allocate(shape)];
  backend.write(tensor, start);
  const all = { ...SETTINGS, ...settings };
  const update = muon.create(all).attach({ name: 'w', shape, tensor, matrices: P }, backend);
  let step = 0;
  return async (g: ArrayLike<number>) => {
    backend.write(gradient, g);
    backend.deliver(gradient, update.begin(++step, all.lr));
    update.end!();
    return Float64Array.from(await backend.read(tensor));
  };
}

/** Aᵀ, for A [rows, columns]. */
const transposed = (x: ArrayLike<number>, rows: number, columns: number) =>
  Float64Array.from({ length: rows * columns }, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]);

/** A B, for A [M, K] and B [K, N]. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, [M, K, N]: readonly [number, number, number]) {
  const result = new Float64Array(M * N);
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      for (let k = 0; k < K; k++) result[i * N + j] += a[i * K + k] * b[k * N + j];
    }
  }
  return result;
}

/** The singular values of a wide matrix [M, N], with its left and right singular vectors in the columns of U and V. */
function singular(u: ArrayLike<number>, M: number, N: number) {
  const { values, vectors: U } = eigen(product(u, transposed(u, M, N), [M, N, M]), M);
  const V = product(transposed(u, M, N), U, [N, M, M]).map((x, i) => x / Math.sqrt(values[i % M]));
  return { values: values.map(Math.sqrt), U, V };
}

/** The quintic of the Newton–Schulz iteration, five times. */
const iterated = (s: number) => [1, 2, 3, 4, 5].reduce((x) => 3.4445 * x - 4.775 * x ** 3 + 2.0315 * x ** 5, s);

describe('the orthogonal matrix o of Muon', () => {
  it.each([
    [1, 1, 7],
    [1, 6, 20],
    [1, 12, 12],
    [1, 20, 6],
    [3, 8, 27],
    [2, 15, 4],
  ])('of %i gradients [%i, %i] has their singular vectors, and values near 1', async (P, F, K) => {
    const gradient = normals(P * F * K, `${P} ${F} ${K}`);
    const w = await parameter({ P, F, K })(gradient);
    const [M, N] = [Math.min(F, K), Math.max(F, K)];
    for (let p = 0; p < P; p++) {
      const wide = (x: Float64Array) => {
        const matrix = x.subarray(p * F * K, (p + 1) * F * K);
        return F <= K ? matrix : transposed(matrix, F, K);
      };
      const u = wide(gradient);
      const o = wide(w).map((x) => -x / Math.sqrt(Math.max(1, F / K)));
      const { values, U, V } = singular(u, M, N);
      const gram = product(u, transposed(u, M, N), [M, N, M]);
      const rowSums = Array.from({ length: M }, (_, i) =>
        gram.subarray(i * M, (i + 1) * M).reduce((sum, x) => sum + Math.abs(x), 0),
      );
      const bound = Math.min(Math.max(...rowSums), Math.hypot(...gram));
      // Diagonal if o has the singular vectors of u.
      const inside = product(product(transposed(U, M, M), o, [M, M, N]), V, [M, N, M]);
      const wanted = Array.from(inside, (_, i) => (i % (M + 1) === 0 ? iterated(values[i % M] / Math.sqrt(bound)) : 0));
      expect(Array.from(inside)).toEqual(wanted.map((value) => expect.closeTo(value, 9)));
      for (let i = 0; i < M; i++) {
        expect(inside[i * M + i]).toBeGreaterThan(0.65);
        expect(inside[i * M + i]).toBeLessThan(1.25);
      }
      // Nothing of o lies outside of the space that the singular vectors span.
      const rest = o.reduce((sum, x) => sum + x * x, 0) - inside.reduce((sum, x) => sum + x * x, 0);
      expect(rest).toBeCloseTo(0, 9);
    }
  });

  it('stays below 1.25 however small some singular values are', async () => {
    const gradient = Float64Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 10 ** -(i / 7) : 0));
    const w = await parameter({ P: 1, F: 6, K: 6 })(gradient);
    for (const [i, value] of w.entries()) {
      if (i % 7 !== 0) expect(value).toBeCloseTo(0, 12);
      else expect(value).toBeCloseTo(-iterated(10 ** -(i / 7)), 12);
    }
  });

  it('does not depend on the other matrices, nor on the size of the gradient', async () => {
    const [F, K] = [5, 11];
    const gradient = normals(3 * F * K, 'three');
    const together = await parameter({ P: 3, F, K })(gradient);
    for (let p = 0; p < 3; p++) {
      const own = gradient.slice(p * F * K, (p + 1) * F * K);
      for (const size of [1, 1e-9, 1e9]) {
        const alone = await parameter({ P: 1, F, K })(own.map((g) => size * g));
        expect(Array.from(alone)).toEqual(
          Array.from(together.subarray(p * F * K, (p + 1) * F * K), (value) => expect.closeTo(value, 10)),
        );
      }
    }
  });

  it('is 0 for a gradient of 0, beside others that are not', async () => {
    const [F, K] = [4, 6];
    const start = normals(2 * F * K, 'start');
    const gradient = normals(2 * F * K, 'gradient').fill(0, 0, F * K);
    const settings = { lr: 0.1, weightDecay: 0.5 };
    const w = await parameter({ P: 2, F, K }, settings, start)(gradient);
    const decayed = Array.from(start, (value) => expect.closeTo(0.95 * value, 12));
    expect(Array.from(w.subarray(0, F * K))).toEqual(decayed.slice(0, F * K));
    expect(Array.from(w.subarray(F * K))).not.toEqual(decayed.slice(F * K));
    expect(w.every(Number.isFinite)).toBe(true);
  });
});

interface Fixture {
  readonly cases: (Record<'rows' | 'columns' | 'momentum' | 'lr' | 'weightDecay', number> & {
    nesterov: boolean;
    starts: number[][];
    gradients: number[][][];
    ends: number[][];
  })[];
}

/** Generated by test/fixtures/pytorch-muon.py. */
const FIXTURE: Fixture = JSON.parse(readFileSync(new URL('../fixtures/pytorch-muon.json', import.meta.url), 'utf8'));

/** torch.optim.Muon divides u by its norm ‖u‖; Muon here divides u uᵀ by a tighter bound, at most ‖u uᵀ‖, and so begins nearer
 *  to 1. With one more block, a single number e = ‖u‖, the bound is e² = ‖u‖² (no row sum of |u uᵀ| in the fixture is larger).
 *  The blocks do not affect each other, so the first must end with the values of PyTorch. The rest of the border is zero. */
describe.each(FIXTURE.cases)(
  'torch.optim.Muon: [$rows, $columns] μ=$momentum nesterov=$nesterov λ=$weightDecay',
  (torch) => {
    const { rows, columns, starts, gradients, ends, ...settings } = torch;
    const { momentum, nesterov } = settings;
    // The same ratio of rows to columns, which the update depends on.
    const [F, K] = rows > columns ? [rows + rows / columns, columns + 1] : [rows + 1, columns + 1];

    function bordered(values: ArrayLike<number>, corner: number): Float64Array {
      const matrix = new Float64Array(F * K);
      for (let i = 0; i < rows * columns; i++) matrix[Math.floor(i / columns) * K + (i % columns)] = values[i];
      matrix[rows * K + columns] = corner;
      return matrix;
    }

    it('ends with the same weights', async () => {
      const P = starts.length;
      const all = (matrices: readonly Float64Array[]) => matrices.flatMap((matrix) => Array.from(matrix));
      const update = parameter({ P, F, K }, settings, all(starts.map((start) => bordered(start, 0))));
      const velocities = starts.map((start) => new Float64Array(start.length));
      const corners = starts.map(() => 0);
      let w = new Float64Array();
      for (const step of gradients) {
        w = await update(
          all(
            step.map((g, p) => {
              velocities[p] = velocities[p].map((v, i) => momentum * v + g[i]);
              const u = velocities[p].map((v, i) => (nesterov ? g[i] + momentum * v : v));
              // The gradient with which the corner of u becomes ‖u‖.
              const old = momentum * corners[p];
              const e = nesterov ? (Math.hypot(...u) - momentum * old) / (1 + momentum) : Math.hypot(...u) - old;
              corners[p] = old + e;
              return bordered(g, e);
            }),
          ),
        );
      }
      for (const [p, end] of ends.entries()) {
        const matrix = w.subarray(p * F * K, (p + 1) * F * K);
        const block = Array.from(end, (_, i) => matrix[Math.floor(i / columns) * K + (i % columns)]);
        expect(block).toEqual(end.map((value) => expect.closeTo(value, 10)));
      }
    });
  },
);

it('Muon leaves biases and the output layer to SGD with a rate of its own and no decay', async () => {
  const settings = { lr: 0.02, headLr: 0.06, momentum: 0.9, nesterov: true, weightDecay: 0.1 };
  const ends = await Promise.all(
    [muon.create(settings), sgd.create({ ...settings, weightDecay: 0 })].map(async (optimizer, i) => {
      const backend = new ReferenceBackend('float64');
      const [tensor, gradient] = [backend.allocate([2, 3]), backend.allocate([2, 3])];
      backend.write(tensor, normals(6, 'start'));
      const update = optimizer.attach({ name: 'fc2.weight', shape: [2, 3], tensor, matrices: 0 }, backend);
      for (const step of [1, 2, 3]) {
        backend.write(gradient, normals(6, `step ${step}`));
        // The schedule has halved both rates.
        backend.deliver(gradient, update.begin(step, i === 0 ? 0.01 : 0.03));
        update.end?.();
      }
      return Array.from(await backend.read(tensor));
    }),
  );
  expect(ends[0]).toEqual(ends[1].map((value) => expect.closeTo(value, 12)));
});
