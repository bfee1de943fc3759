import { describe, expect, it } from 'vitest';
import { augmentedBatch, plainBatch, rows, shuffled, splitTrainingSet } from '../../src/training/batches.ts';

const sorted = (values: Uint32Array) => values.slice().sort();

describe('splitTrainingSet', () => {
  it('uses every image once, and always holds out the same validation images', () => {
    const { train, validation } = splitTrainingSet(100, 30, null);
    expect(sorted(Uint32Array.of(...train, ...validation))).toEqual(rows(100));
    expect(validation.length).toBe(30);
    const limited = splitTrainingSet(100, 30, 20);
    expect(limited.validation).toEqual(validation);
    expect(limited.train).toEqual(train.subarray(0, 20));
    expect(validation).not.toEqual(sorted(validation));
  });

  it('refuses to hold out every image', () => {
    expect(() => splitTrainingSet(100, 100, null)).toThrow('val must leave images to train on');
  });
});

describe('the order of an epoch', () => {
  const train = rows(50).subarray(10);

  it('has every image once, in a different order for a different epoch or seed', () => {
    const order = shuffled(train, 0, 1);
    expect(sorted(order)).toEqual(train);
    expect(shuffled(train, 0, 1)).toEqual(order);
    for (const other of [train, shuffled(train, 0, 2), shuffled(train, 1, 1)]) expect(other).not.toEqual(order);
  });
});

describe('augmentation', () => {
  const indices = rows(4000);
  const draw = (changes: object = {}) =>
    augmentedBatch(indices, { flip: true, shift: 2, seed: 0, step: 0, ...changes });
  const count = (values: ArrayLike<number>, value: number) => Array.from(values).filter((x) => x === value).length;

  it('flips half of the images, and shifts them uniformly and independently in both directions', () => {
    const { flip, shiftX, shiftY } = draw();
    // Five standard deviations of a binomial distribution: √(4000 p (1 − p)).
    expect(Math.abs(count(flip, 1) - 2000)).toBeLessThan(5 * Math.sqrt(1000));
    for (const shifts of [shiftX, shiftY]) {
      expect(new Set(shifts)).toEqual(new Set([-2, -1, 0, 1, 2]));
      for (const shift of [-2, 0, 2]) expect(Math.abs(count(shifts, shift) - 800)).toBeLessThan(5 * Math.sqrt(640));
    }
    const equal = shiftX.filter((shift, i) => shift === shiftY[i]).length;
    expect(Math.abs(equal - 800)).toBeLessThan(5 * Math.sqrt(640));
  });

  it('is the same for the same seed and step, and different for a different seed or step', () => {
    expect(draw()).toEqual(draw());
    for (const change of [{ step: 1 }, { seed: 1 }]) {
      const other = draw(change);
      for (const name of ['flip', 'shiftX', 'shiftY'] as const) expect(other[name]).not.toEqual(draw()[name]);
    }
  });

  it('does nothing when turned off', () => {
    expect(draw({ flip: false, shift: 0 })).toEqual(plainBatch(indices));
    expect(count(draw({ flip: false }).flip, 1)).toBe(0);
    expect(count(draw({ shift: 0 }).shiftX, 0)).toBe(4000);
  });
});
