import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import type { Context } from './context.ts';

export function checkLosses({ backend, tensor, valuesOf, storeIn, scalar, expectClose }: Context): void {
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
        const [s, y] = [valuesOf([B, C], 'logits').map((value) => 3 * value), classes(B, C)];
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
      const [s, y] = [valuesOf([B, C], 'logits'), classes(B, C)];
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

    it('stay finite for large scores, and propagate NaN', async () => {
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

    it('hinge has derivative 0 exactly at the kink', async () => {
      const sink = storeIn([1, 3]);
      backend.hingeDerivative(tensor([1, 3], [1, 2, 1.5]), tensor([1], [1], 'label'), scalar(1), sink);
      expect(Array.from(await backend.read(sink.tensor))).toEqual([0, -1, 1]);
    });

    it('countCorrect counts rows whose first maximum is the label', async () => {
      const scores = [
        [3, 1, 2],
        [1, 3, 3],
        [2, 3, 3],
        [0, 0, 1],
        [NaN, 5, 0],
      ];
      const count = backend.allocate([]);
      backend.countCorrect(tensor([5, 3], scores.flat()), tensor([5], [0, 1, 1, 2, 0], 'label'), count);
      expect(Array.from(await backend.read(count))).toEqual([4]);
    });

    it('reject labels whose shape does not match the logits', () => {
      const [logits, labels, loss] = [backend.allocate([4, 3]), backend.allocate([3], 'label'), backend.allocate([])];
      expect(() => backend.softmaxCrossEntropy(logits, labels, 0, loss)).toThrow(ShapeError);
      expect(() => backend.hinge(logits, labels, loss)).toThrow(ShapeError);
      expect(() => backend.countCorrect(logits, labels, loss)).toThrow(ShapeError);
      expect(() => backend.hingeDerivative(logits, labels, scalar(1), storeIn([4, 3]))).toThrow(ShapeError);
      const derivative = () => backend.softmaxCrossEntropyDerivative(logits, labels, 0, scalar(1), storeIn([4, 3]));
      expect(derivative).toThrow(ShapeError);
    });
  });
}
