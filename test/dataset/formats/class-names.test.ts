import { expect, test } from 'vitest';
import { isClutter, labelOf, splitOf } from '../../../src/dataset/formats/class-names.ts';

test('a class is recognised in any case, in the plural, and with numbers or a split around it', () => {
  for (const name of ['airplane', 'Airplane', 'AIRPLANES', '00_airplane', '0-airplane', 'airplane_train', 'plane']) {
    expect([name, labelOf(name)]).toEqual([name, 0]);
  }
  for (const name of ['automobile', 'car', '01. Cars', 'test-automobile-1']) {
    expect([name, labelOf(name)]).toEqual([name, 1]);
  }
  expect(labelOf('9 truck')).toBe(9);
});

test('other names are no class', () => {
  for (const name of ['apple', 'airplane_cat', 'pickup truck', 'seabird', 'catfish', 'éairplane', '3', 'train', '']) {
    expect([name, labelOf(name)]).toEqual([name, undefined]);
  }
});

test('splits are recognised in any case', () => {
  const splits = ['train', 'Training', 'TEST', 'testing', 'val', 'Valid', 'validation', 'trainset', 'data'].map(
    splitOf,
  );
  const [train, test, val] = ['train', 'test', 'validation'];
  expect(splits).toEqual([train, train, test, test, val, val, val, undefined, undefined]);
});

test('files that file managers leave are clutter', () => {
  for (const name of ['.DS_Store', '._cat.png', '.png', 'Thumbs.db', 'desktop.ini', '__MACOSX', '@eaDir']) {
    expect([name, isClutter(name)]).toEqual([name, true]);
  }
  for (const name of ['cat.png', '_cat.png', 'labels.txt']) expect([name, isClutter(name)]).toEqual([name, false]);
});
