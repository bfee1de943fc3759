import { describe, expect, it } from 'vitest';
import {
  type Activation,
  type Backend,
  type BatchPlan,
  type DType,
  type Shape,
  ShapeError,
  type Sink,
  sizeOf,
  type Tensor,
  type UpdateRule,
} from '../../src/backends/backend.ts';
import { Random } from '../../src/random.ts';
import { ACTIVATIONS, normals } from '../support/graphs.ts';
import { randomImageSet } from '../support/images.ts';

/** The suite that every backend has to pass. What is expected is computed here in float64, straight from the formulas of
 *  the contract, so that no backend is compared with itself. */
export function describeConformance(name: string, create: () => Backend): void {
  describe(name, () => {
    const backend = create();
    // Sums of up to 3072 products of numbers around 1, relative to their size.
    const tolerance = backend.dtype === 'float64' ? 1e-12 : 2e-5;

    const tensor = (shape: Shape, values: ArrayLike<number> | string, dtype?: DType): Tensor => {
      const made = backend.allocate(shape, dtype);
      backend.write(made, typeof values === 'string' ? normals(sizeOf(shape), values) : values);
      return made;
    };
    /** The values as the backend keeps them: rounded to float32 where it computes in that. */
    const kept = (shape: Shape, seed: string): Float64Array => {
      const values = normals(sizeOf(shape), seed);
      return backend.dtype === 'float64' ? values : Float64Array.from(values, Math.fround);
    };
    const storeIn = (shape: Shape): Sink => ({ kind: 'store', tensor: backend.allocate(shape) });
    const scalar = (value: number) => tensor([], [value]);
    const expectClose = async (result: Tensor, expected: ArrayLike<number>) => {
      const values = await backend.read(result);
      expect(values.length).toBe(expected.length);
      const largest = Array.from(expected).reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3);
      let worst = 0;
      for (let i = 0; i < values.length; i++) {
        const error = Math.abs(values[i] - expected[i]) / largest;
        worst = Math.max(worst, error);
      }
      expect(worst).toBeLessThan(tolerance);
    };

    describe('tensors', () => {
      it('start with zeros and give back what is written, row by row', async () => {
        const made = backend.allocate([3, 5]);
        expect(made.shape).toEqual([3, 5]);
        expect(Array.from(await backend.read(made))).toEqual(new Array(15).fill(0));
        const values = Array.from({ length: 15 }, (_, i) => i / 8);
        backend.write(made, values);
        expect(Array.from(await backend.read(made))).toEqual(values);
      });

      it('of rank 0 hold one number, and labels hold bytes', async () => {
        expect(Array.from(await backend.read(scalar(2.5)))).toEqual([2.5]);
        expect(Array.from(await backend.read(tensor([3], [0, 9, 255], 'label')))).toEqual([0, 9, 255]);
      });

      it('are read as copies', async () => {
        const made = tensor([2], [1, 2]);
        (await backend.read(made))[0] = 7;
        expect(Array.from(await backend.read(made))).toEqual([1, 2]);
      });

      it('share their rows with their views', async () => {
        const whole = tensor([3, 2], [1, 2, 3, 4, 5, 6]);
        const view = backend.view(whole, 2);
        expect(view.shape).toEqual([2, 2]);
        expect(Array.from(await backend.read(view))).toEqual([1, 2, 3, 4]);
        backend.write(view, [9, 8, 7, 6]);
        expect(Array.from(await backend.read(whole))).toEqual([9, 8, 7, 6, 5, 6]);
        expect(() => backend.view(whole, 4)).toThrow(ShapeError);
      });

      it('refuse an array of the wrong length', () => {
        expect(() => backend.write(backend.allocate([2, 2]), [1, 2, 3])).toThrow(ShapeError);
      });
    });

    describe('loadBatch', () => {
      const set = randomImageSet(20, 'load');
      const load = async (plan: BatchPlan) => {
        const B = plan.indices.length;
        const [images, labels] = [backend.allocate([B, 3072]), backend.allocate([B], 'label')];
        backend.loadBatch(set, plan, images, labels);
        return { images: await backend.read(images), labels: await backend.read(labels) };
      };

      it('gathers, flips, shifts and scales as defined, for every shift', async () => {
        const random = new Random(3, 'plan');
        const B = 63 * 2;
        const plan = {
          indices: Uint32Array.from({ length: B }, () => random.integer(20)),
          flip: Uint8Array.from({ length: B }, (_, b) => b % 2),
          shiftX: Int8Array.from({ length: B }, (_, b) => (b >> 1) - 31),
          shiftY: Int8Array.from({ length: B }, (_, b) => 31 - (b >> 1)),
        };
        const { images, labels } = await load(plan);
        const mirror = (x: number) => (x < 0 ? -x : x > 31 ? 62 - x : x);
        const expected = new Float64Array(B * 3072);
        for (let i = 0; i < expected.length; i++) {
          const [b, channel, y, x] = [Math.floor(i / 3072), Math.floor(i / 1024) % 3, Math.floor(i / 32) % 32, i % 32];
          const row = mirror(y - plan.shiftY[b]);
          const column = mirror(x - plan.shiftX[b]);
          const pixel = 1024 * channel + 32 * row + (plan.flip[b] === 1 ? 31 - column : column);
          expected[i] = (set.images[3072 * plan.indices[b] + pixel] - 128) / 64;
        }
        expect(Array.from(images)).toEqual(Array.from(expected));
        expect(Array.from(labels)).toEqual(Array.from(plan.indices, (index) => set.labels[index]));
      });

      it('refuses tensors that do not fit the plan', () => {
        const plan = {
          indices: new Uint32Array(2),
          flip: new Uint8Array(2),
          shiftX: new Int8Array(2),
          shiftY: new Int8Array(2),
        };
        const [images, labels] = [backend.allocate([3, 3072]), backend.allocate([2], 'label')];
        expect(() => backend.loadBatch(set, plan, images, labels)).toThrow(ShapeError);
      });
    });

    describe('matmul', () => {
      const shapes = [
        [1, 1, 1],
        [2, 3, 4],
        [5, 7, 3],
        [13, 31, 17],
        [1, 129, 5],
        [33, 2, 65],
        [3, 3072, 10],
        [10, 37, 3072],
        [64, 100, 10],
      ];
      it.each(shapes)('multiplies [%i, %i] by [.., %i], transposed or not, with a bias or not', async (M, K, N) => {
        for (const [transposeA, transposeB] of [
          [false, false],
          [false, true],
          [true, false],
          [true, true],
        ]) {
          const [shapeA, shapeB] = [transposeA ? [K, M] : [M, K], transposeB ? [N, K] : [K, N]];
          const [a, b, bias] = [kept(shapeA, 'a'), kept(shapeB, 'b'), kept([N], 'bias')];
          const product = new Float64Array(M * N);
          for (let i = 0; i < M; i++) {
            for (let j = 0; j < N; j++) {
              for (let k = 0; k < K; k++) {
                product[i * N + j] += a[transposeA ? k * M + i : i * K + k] * b[transposeB ? j * K + k : k * N + j];
              }
            }
          }
          const sink = storeIn([M, N]);
          const options = { transposeA, transposeB };
          backend.matmul(tensor(shapeA, 'a'), tensor(shapeB, 'b'), sink, options);
          await expectClose(sink.tensor, product);
          backend.matmul(tensor(shapeA, 'a'), tensor(shapeB, 'b'), sink, { ...options, bias: tensor([N], 'bias') });
          await expectClose(
            sink.tensor,
            product.map((value, i) => value + bias[i % N]),
          );
        }
      });

      it('refuses shapes that do not fit', () => {
        const [a, b] = [backend.allocate([2, 3]), backend.allocate([4, 5])];
        expect(() => backend.matmul(a, b, storeIn([2, 5]))).toThrow(ShapeError);
        expect(() => backend.matmul(a, b, storeIn([2, 5]), { transposeB: true })).toThrow(ShapeError);
        const c = backend.allocate([3, 5]);
        expect(() => backend.matmul(a, c, storeIn([5, 2]))).toThrow(ShapeError);
        expect(() => backend.matmul(a, c, storeIn([2, 5]), { bias: backend.allocate([2]) })).toThrow(ShapeError);
        expect(() => backend.matmul(a, backend.allocate([3]), storeIn([2, 1]))).toThrow(ShapeError);
      });

      it('passes NaN on', async () => {
        const sink = storeIn([2, 1]);
        backend.matmul(tensor([2, 2], [NaN, 1, 1, 1]), tensor([2, 1], [0, 1]), sink);
        expect(Array.from(await backend.read(sink.tensor))).toEqual([NaN, 1]);
      });
    });

    describe('sums', () => {
      it.each([
        [1, 1],
        [7, 3],
        [256, 10],
        [5, 513],
      ])('sumRows adds the rows of [%i, %i]', async (M, N) => {
        const x = kept([M, N], 'x');
        const sink = storeIn([N]);
        backend.sumRows(tensor([M, N], 'x'), sink);
        const expected = Array.from({ length: N }, (_, j) => {
          let sum = 0;
          for (let i = 0; i < M; i++) sum += x[i * N + j];
          return sum;
        });
        await expectClose(sink.tensor, expected);
        expect(() => backend.sumRows(tensor([M, N], 'x'), storeIn([N + 1]))).toThrow(ShapeError);
      });

      it('add, scale and sumSquares do what they say', async () => {
        const [a, b] = [kept([5, 7], 'a'), kept([5, 7], 'b')];
        const sink = storeIn([5, 7]);
        backend.add(tensor([5, 7], 'a'), tensor([5, 7], 'b'), sink);
        await expectClose(
          sink.tensor,
          a.map((value, i) => value + b[i]),
        );
        backend.scale(tensor([5, 7], 'a'), 0.5, scalar(-3), sink);
        await expectClose(
          sink.tensor,
          a.map((value) => -1.5 * value),
        );
        const sum = backend.allocate([]);
        backend.sumSquares(tensor([5, 7], 'a'), 0.5, sum);
        await expectClose(sum, [a.reduce((total, value) => total + 0.5 * value * value, 0)]);
        expect(() => backend.add(tensor([5, 7], 'a'), tensor([7, 5], 'b'), sink)).toThrow(ShapeError);
        expect(() => backend.scale(tensor([5, 7], 'a'), 1, tensor([1], [1]), sink)).toThrow(ShapeError);
      });
    });

    describe('activation', () => {
      const FUNCTIONS: Record<Activation, [value: (x: number) => number, derivative: (x: number) => number]> = {
        relu: [(x) => Math.max(0, x), (x) => (x > 0 ? 1 : 0)],
        'leaky-relu': [(x) => (x > 0 ? x : 0.01 * x), (x) => (x > 0 ? 1 : 0.01)],
        sigmoid: [(x) => Math.exp(x) / (Math.exp(x) + 1), (x) => Math.exp(x) / (Math.exp(x) + 1) ** 2],
        tanh: [(x) => 2 / (1 + Math.exp(-2 * x)) - 1, (x) => 1 / Math.cosh(x) ** 2],
      };

      it.each(ACTIVATIONS)('%s and its derivative', async (kind) => {
        const shape = [9, 13];
        const [x, upstream] = [kept(shape, 'x'), kept(shape, 'upstream')];
        const [value, derivative] = FUNCTIONS[kind];
        const y = backend.allocate(shape);
        backend.activation(kind, tensor(shape, 'x'), y);
        await expectClose(y, x.map(value));
        const sink = storeIn(shape);
        backend.activationDerivative(kind, y, tensor(shape, 'upstream'), sink);
        await expectClose(
          sink.tensor,
          upstream.map((u, i) => u * derivative(x[i])),
        );
        expect(() => backend.activation(kind, y, backend.allocate([13, 9]))).toThrow(ShapeError);
      });

      it.each(ACTIVATIONS)('%s keeps NaN and bears large numbers', async (kind) => {
        const y = backend.allocate([4]);
        backend.activation(kind, tensor([4], [NaN, 1e4, -1e4, 0]), y);
        const [nan, high, low] = await backend.read(y);
        expect(nan).toBeNaN();
        expect(high).toBe({ relu: 1e4, 'leaky-relu': 1e4, sigmoid: 1, tanh: 1 }[kind]);
        expect(low).toBeCloseTo({ relu: 0, 'leaky-relu': -100, sigmoid: 0, tanh: -1 }[kind], 4);
      });
    });

    describe('dropout', () => {
      /** The mask of the contract, spelt out. */
      const isKept = (i: number, rate: number, key: number) => {
        const scramble = (x: number) => {
          let z = BigInt(x) & 0xffffffffn;
          z = ((z ^ (z >> 16n)) * 0x7feb352dn) & 0xffffffffn;
          z = ((z ^ (z >> 15n)) * 0x846ca68bn) & 0xffffffffn;
          return Number(z ^ (z >> 16n));
        };
        return scramble((key + scramble(i)) % 2 ** 32) >= rate * 2 ** 32;
      };

      it.each([0, 0.1, 0.5, 0.9])('with the rate %d', async (rate) => {
        const shape = [11, 19];
        const x = kept(shape, 'x');
        for (const key of [0, 1, 0xfffffff0]) {
          const sink = storeIn(shape);
          backend.dropout(tensor(shape, 'x'), rate, key, sink);
          await expectClose(
            sink.tensor,
            x.map((value, i) => (isKept(i, rate, key) ? value / (1 - rate) : 0)),
          );
        }
      });
    });

    describe('losses', () => {
      const shapes = [
        [1, 2],
        [5, 4],
        [256, 10],
        [37, 3],
      ];
      const classes = (B: number, C: number) => Array.from({ length: B }, (_, b) => (b * 7 + (b % 3)) % C);

      it.each(shapes)('softmax cross-entropy of [%i, %i] and its derivative', async (B, C) => {
        for (const smoothing of [0, 0.1]) {
          const [s, y] = [kept([B, C], 'logits').map((value) => 3 * value), classes(B, C)];
          const logits = tensor([B, C], s);
          const labels = tensor([B], y, 'label');
          let loss = 0;
          const derivative = new Float64Array(B * C);
          for (let b = 0; b < B; b++) {
            const exps = Array.from(s.subarray(b * C, (b + 1) * C), Math.exp);
            const sum = exps.reduce((total, value) => total + value, 0);
            for (let c = 0; c < C; c++) {
              const q = (c === y[b] ? 1 - smoothing : 0) + smoothing / C;
              loss -= (q * Math.log(exps[c] / sum)) / B;
              derivative[b * C + c] = (-2 * (exps[c] / sum - q)) / B;
            }
          }
          const result = backend.allocate([]);
          backend.softmaxCrossEntropy(logits, labels, smoothing, result);
          await expectClose(result, [loss]);
          const sink = storeIn([B, C]);
          backend.softmaxCrossEntropyDerivative(logits, labels, smoothing, scalar(-2), sink);
          await expectClose(sink.tensor, derivative);
        }
      });

      it.each(shapes)('hinge of [%i, %i] and its derivative', async (B, C) => {
        const [s, y] = [kept([B, C], 'logits'), classes(B, C)];
        const logits = tensor([B, C], 'logits');
        const labels = tensor([B], y, 'label');
        let loss = 0;
        const derivative = new Float64Array(B * C);
        for (let b = 0; b < B; b++) {
          for (let c = 0; c < C; c++) {
            const margin = s[b * C + c] - s[b * C + y[b]] + 1;
            if (c === y[b] || margin <= 0) continue;
            loss += margin / B;
            derivative[b * C + c] += 2 / B;
            derivative[b * C + y[b]] -= 2 / B;
          }
        }
        const result = backend.allocate([]);
        backend.hinge(logits, labels, result);
        await expectClose(result, [loss]);
        const sink = storeIn([B, C]);
        backend.hingeDerivative(logits, labels, scalar(2), sink);
        await expectClose(sink.tensor, derivative);
      });

      it('stay finite for large scores, and pass NaN on', async () => {
        const labels = tensor([2], [1, 0], 'label');
        const loss = backend.allocate([]);
        backend.softmaxCrossEntropy(tensor([2, 2], [1e4, 0, -1e4, 0]), labels, 0, loss);
        await expectClose(loss, [1e4]);
        const broken = tensor([2, 2], [0, 1, NaN, 0]);
        backend.softmaxCrossEntropy(broken, labels, 0, loss);
        expect((await backend.read(loss))[0]).toBeNaN();
        backend.hinge(broken, labels, loss);
        expect((await backend.read(loss))[0]).toBeNaN();
      });

      it('countCorrect counts rows whose first maximum is the label', async () => {
        const scores = [
          [3, 1, 2],
          [1, 3, 3],
          [3, 3, 1],
          [0, 0, 1],
          [NaN, 5, 0],
        ];
        const count = backend.allocate([]);
        backend.countCorrect(tensor([5, 3], scores.flat()), tensor([5], [0, 1, 1, 2, 1], 'label'), count);
        expect(Array.from(await backend.read(count))).toEqual([3]);
      });

      it('refuse labels that do not fit', () => {
        const [logits, labels, loss] = [backend.allocate([4, 3]), backend.allocate([3], 'label'), backend.allocate([])];
        expect(() => backend.softmaxCrossEntropy(logits, labels, 0, loss)).toThrow(ShapeError);
        expect(() => backend.hinge(logits, labels, loss)).toThrow(ShapeError);
        expect(() => backend.countCorrect(logits, labels, loss)).toThrow(ShapeError);
        expect(() => backend.hingeDerivative(logits, labels, scalar(1), storeIn([4, 3]))).toThrow(ShapeError);
      });
    });

    describe('sinks', () => {
      it('deliver stores, adds and updates', async () => {
        const gradient = tensor([3], [1, -2, 4]);
        const there = tensor([3], [10, 20, 30]);
        backend.deliver(gradient, { kind: 'add', tensor: there });
        expect(Array.from(await backend.read(there))).toEqual([11, 18, 34]);
        backend.deliver(gradient, { kind: 'store', tensor: there });
        expect(Array.from(await backend.read(there))).toEqual([1, -2, 4]);
        expect(() => backend.deliver(gradient, { kind: 'add', tensor: backend.allocate([4]) })).toThrow(ShapeError);
      });

      const RULES: Record<string, UpdateRule> = {
        'plain SGD': { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0.02 },
        'SGD with momentum': { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 },
        'SGD with Nesterov momentum': {
          kind: 'sgd',
          learningRate: 0.1,
          momentum: 0.9,
          nesterov: true,
          weightDecay: 0.02,
        },
        AdamW: {
          kind: 'adamw',
          learningRate: 0.1,
          beta1: 0.9,
          beta2: 0.99,
          epsilon: 1e-8,
          weightDecay: 0.02,
          correction1: 0.271,
          correction2: 0.029701,
        },
      };

      it.each(Object.keys(RULES))(
        '%s follows its formula, the same from a product as from a stored gradient',
        async (name) => {
          const rule = RULES[name];
          const [M, K, N] = [7, 11, 13];
          const [w, g] = [kept([M, N], 'w'), backend.allocate([M, N])];
          const states = rule.kind === 'adamw' ? ['m', 'v'] : rule.momentum > 0 ? ['v'] : [];
          const positive = (seed: string) => kept([M, N], seed).map((value) => value * value);
          const make = () => ({
            kind: 'update' as const,
            tensor: tensor([M, N], 'w'),
            rule,
            state: states.map((seed) => tensor([M, N], positive(seed))),
          });
          const [fused, delivered] = [make(), make()];
          const factors = [tensor([M, K], 'a'), tensor([K, N], 'b')] as const;
          backend.matmul(...factors, { kind: 'store', tensor: g });
          backend.deliver(g, delivered);
          backend.matmul(...factors, fused);

          const gradient = await backend.read(g);
          const before = states.map(positive);
          const expected = Array.from(w, (value, i) =>
            expectedUpdate(
              rule,
              value,
              gradient[i],
              before.map((s) => s[i]),
            ),
          );
          await expectClose(
            fused.tensor,
            expected.map(({ value }) => value),
          );
          for (const [slot, state] of fused.state.entries()) {
            await expectClose(
              state,
              expected.map(({ state }) => state[slot]),
            );
            expect(await backend.read(state)).toEqual(await backend.read(delivered.state[slot]));
          }
          expect(await backend.read(fused.tensor)).toEqual(await backend.read(delivered.tensor));
        },
      );
    });
  });
}

/** The formulas of torch.optim.SGD and torch.optim.AdamW, for one number. */
function expectedUpdate(rule: UpdateRule, w: number, g: number, state: number[]): { value: number; state: number[] } {
  if (rule.kind === 'adamw') {
    const m = rule.beta1 * state[0] + (1 - rule.beta1) * g;
    const v = rule.beta2 * state[1] + (1 - rule.beta2) * g ** 2;
    const decayed = w * (1 - rule.learningRate * rule.weightDecay);
    const step = m / rule.correction1 / (Math.sqrt(v / rule.correction2) + rule.epsilon);
    return { value: decayed - rule.learningRate * step, state: [m, v] };
  }
  const d = g + rule.weightDecay * w;
  if (rule.momentum === 0) return { value: w - rule.learningRate * d, state: [] };
  const v = rule.momentum * state[0] + d;
  return { value: w - rule.learningRate * (rule.nesterov ? d + rule.momentum * v : v), state: [v] };
}
