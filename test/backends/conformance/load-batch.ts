import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import type { BatchPlan, ImageSet } from '../../../src/images.ts';
import { Random } from '../../../src/random.ts';
import { randomImageSet } from '../../support/images.ts';
import type { Context } from './context.ts';

export function checkLoadBatch({ backend }: Context): void {
  describe('loadBatch', () => {
    const set = randomImageSet(20, 'load');
    const load = async (plan: BatchPlan) => {
      const B = plan.indices.length;
      const [images, labels] = [backend.allocate([B, 3072]), backend.allocate([B], 'label')];
      backend.loadBatch(set, plan, images, labels);
      return { images: await backend.read(images), labels: await backend.read(labels) };
    };

    it('gathers, flips, shifts and scales images as specified, for every shift', async () => {
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

    it('loads the labels of the given set, even if it shares its images with another set', async () => {
      const one = new Uint8Array(1);
      const plan = { indices: Uint32Array.of(7), flip: one, shiftX: new Int8Array(1), shiftY: new Int8Array(1) };
      const others: ImageSet = { images: set.images, labels: new Uint8Array(new SharedArrayBuffer(20)).fill(3) };
      const [images, labels] = [backend.allocate([1, 3072]), backend.allocate([1], 'label')];
      for (const source of [set, others, set]) {
        backend.loadBatch(source, plan, images, labels);
        expect(Array.from(await backend.read(labels))).toEqual([source.labels[7]]);
      }
    });

    it('rejects tensors whose shapes do not match the plan', () => {
      const plan = {
        indices: new Uint32Array(2),
        flip: new Uint8Array(2),
        shiftX: new Int8Array(2),
        shiftY: new Int8Array(2),
      };
      const [images, labels] = [backend.allocate([3, 3072]), backend.allocate([2], 'label')];
      expect(() => backend.loadBatch(set, plan, images, labels)).toThrow(ShapeError);
      const [two, three] = [backend.allocate([2, 3072]), backend.allocate([3], 'label')];
      expect(() => backend.loadBatch(set, plan, two, three)).toThrow(ShapeError);
    });
  });
}
