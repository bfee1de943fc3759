import { expect, it } from 'vitest';
import {
  integer,
  localTime,
  loss,
  megabytes,
  memory,
  operations,
  percent,
  plural,
  seconds,
  small,
} from '../src/format.ts';

it.each([
  [integer(49_000.4), '49,000'],
  [integer(-1_234_567), '-1,234,567'],
  [plural(1, 'epoch'), '1 epoch'],
  [plural(1200, 'image is', 'images are'), '1,200 images are'],
  [percent(0.41853), '41.85 %'],
  [percent(1, 1), '100.0 %'],
  [loss(1.70189), '1.7019'],
  [loss(1.71e29), '1.710e+29'],
  [megabytes(170_498_071), '170.5 MB'],
  [memory(2048), '2,048 B'],
  [memory(20_480), '20.5 kB'],
  [memory(6_291_456), '6.3 MB'],
  [operations(2560), '2.56 kFLOP'],
  [operations(805_437_440), '805 MFLOP'],
  [operations(1.5e9), '1.50 GFLOP'],
  [localTime(new Date(2026, 10, 24, 9, 5, 3)), '2026-11-24 09:05:03'],
  [small(0.003), '0.00300'],
  [small(2.48e-9), '2.48e-9'],
  [small(0), '0.00'],
  [seconds(1.594), '1.59 s'],
  [seconds(59.96), '60.0 s'],
  [seconds(125), '2 min 05 s'],
  [seconds(3719.6), '1 h 2 min'],
])('%s', (text, wanted) => {
  expect(text).toBe(wanted);
});
