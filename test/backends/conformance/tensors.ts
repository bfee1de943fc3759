import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import type { Context } from './context.ts';

export function checkTensors({ backend, tensor, scalar }: Context): void {
  describe('tensors', () => {
    it('start as zeros and return what is written, row by row', async () => {
      const result = backend.allocate([3, 5]);
      expect(result.shape).toEqual([3, 5]);
      expect(Array.from(await backend.read(result))).toEqual(new Array(15).fill(0));
      const values = Array.from({ length: 15 }, (_, i) => i / 8);
      backend.write(result, values);
      expect(Array.from(await backend.read(result))).toEqual(values);
    });

    it('of rank 0 hold one number, and label tensors hold bytes', async () => {
      expect(Array.from(await backend.read(scalar(2.5)))).toEqual([2.5]);
      expect(Array.from(await backend.read(tensor([3], [0, 9, 255], 'label')))).toEqual([0, 9, 255]);
    });

    it('are read as copies', async () => {
      const result = tensor([2], [1, 2]);
      (await backend.read(result))[0] = 7;
      expect(Array.from(await backend.read(result))).toEqual([1, 2]);
    });

    it('share memory with their views', async () => {
      const whole = tensor([3, 2], [1, 2, 3, 4, 5, 6]);
      const view = backend.view(whole, 2);
      expect(view.shape).toEqual([2, 2]);
      expect(Array.from(await backend.read(view))).toEqual([1, 2, 3, 4]);
      backend.write(view, [9, 8, 7, 6]);
      expect(Array.from(await backend.read(whole))).toEqual([9, 8, 7, 6, 5, 6]);
      expect(() => backend.view(whole, 4)).toThrow(ShapeError);
    });

    it('reject an array of the wrong length', () => {
      expect(() => backend.write(backend.allocate([2, 2]), [1, 2, 3])).toThrow(ShapeError);
    });
  });
}
