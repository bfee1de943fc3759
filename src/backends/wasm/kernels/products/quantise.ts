import { PIXEL_SCALE, ZERO_BELOW } from '../../../integers.ts';
import type { FunctionBuilder, Local } from '../../assembler/assembler.ts';
import { f32, f32x4, i8x16, i16x8, i32, i32x4, type V128, v128 } from '../../assembler/instructions.ts';
import { kernel, loop, vectorised, ZERO } from '../kernel.ts';
import { INT8_OFFSET } from './tile.ts';
import { lanes32 } from './transpose.ts';

export const QUANTISE_ROWS_PER_TASK = 4;

/** 1.5 · 2²³. Adding it to a float below 2²² leaves the nearest integer (ties to even) in the low bits of the sum, in fewer
 *  instructions than rounding and conversion take. */
const ROUNDING_OFFSET = 12_582_912;
const ROUNDING_OFFSET_BITS = 0x4b400000;

/** Rounds each row to integers of at most `limit` and computes its scale, as integers.ts specifies. They are
 *  written as int16 or, plus 64, as bytes (`asBytes` ≠ 0). `stride` is the distance from one row of the target to the next, in
 *  bytes; int16 are padded to an even number with a zero. A task rounds some rows. */
export const quantise = kernel(
  {
    source: 'i32',
    target: 'i32',
    stride: 'i32',
    scales: 'i32',
    rows: 'i32',
    columns: 'i32',
    limit: 'f32',
    asBytes: 'i32',
  },
  (f, { source, target, stride, scales, rows, columns, limit, asBytes }, { task }) => {
    const first = f.local('i32', i32.mul(task, QUANTISE_ROWS_PER_TASK));
    const end = f.local('i32', i32.min_u(rows, f.local('i32', i32.add(first, QUANTISE_ROWS_PER_TASK))));
    const magnitudeMask = f.local('v128', i32x4.splat(0x7fffffff));
    const offset = f.local('v128', f32x4.splat(ROUNDING_OFFSET));
    const offsetBits = f.local('v128', i32x4.splat(ROUNDING_OFFSET_BITS));
    loop(f, first, end, (row) => {
      const from = f.local('i32', i32.add(source, i32.mul(i32.shl(columns, 2), row)));
      const to = f.local('i32', i32.add(target, i32.mul(stride, row)));
      // Without their sign, floats compare like integers, with NaN above all others.
      const largest = f.local('v128', ZERO);
      vectorised(f, columns, (i, { load }) =>
        f.set(largest, i32x4.max_s(largest, v128.and(load(i32.add(from, i)), magnitudeMask))),
      );
      const max = f.local('f32', maximumLane(f, largest));
      const inverse = f.local('f32', f32.div(limit, max));
      f.if(f32.lt(max, ZERO_BELOW), () => {
        f.set(max, f32.const(0));
        f.set(inverse, f32.const(0));
      });
      // ∞ − ∞ is NaN, so any value that is not finite makes the scale of its row NaN.
      f.set(max, f32.add(max, f32.sub(max, max)));
      f.do(f32.store(i32.add(scales, i32.shl(row, 2)), f32.mul(f32.div(max, limit), PIXEL_SCALE)));
      const factor = f.local('v128', f32x4.splat(inverse));
      const rounded = (x: V128) => i32x4.sub(f32x4.add(f32x4.mul(x, factor), offset), offsetBits);
      f.if(
        asBytes,
        () => writeBytes(f, { from, to, columns }, rounded),
        () => writePairs(f, { from, to, columns }, rounded),
      );
    });
  },
);

type Row = Record<'from' | 'to' | 'columns', Local<'i32'>>;
type Round = (x: V128) => V128;

function writePairs(f: FunctionBuilder, { from, to, columns }: Row, rounded: Round): void {
  const k = f.local('i32', i32.const(0));
  f.while(i32.lt_u(i32.add(k, 7), columns), () => {
    const at = f.local('i32', i32.add(from, i32.shl(k, 2)));
    const pair = i16x8.narrow_i32x4_s(rounded(v128.load(at)), rounded(v128.load(at, 16)));
    f.do(v128.store(i32.add(to, i32.shl(k, 1)), pair));
    f.set(k, i32.add(k, 8));
  });
  f.set(to, i32.add(to, i32.shl(k, 1)));
  loop(f, k, columns, (i) => {
    const q = rounded(v128.load32_zero(i32.add(from, i32.shl(i, 2))));
    f.do(i32.store16(to, i32x4.extract_lane(i16x8.narrow_i32x4_s(q, ZERO), 0)));
    f.set(to, i32.add(to, 2));
  });
  f.if(i32.and(columns, 1), () => f.do(i32.store16(to, 0)));
}

function writeBytes(f: FunctionBuilder, { from, to, columns }: Row, rounded: Round): void {
  const offset = f.local('v128', i8x16.splat(INT8_OFFSET));
  const k = f.local('i32', i32.const(0));
  f.while(i32.lt_u(i32.add(k, 15), columns), () => {
    const at = f.local('i32', i32.add(from, i32.shl(k, 2)));
    const [low, high] = [0, 32].map((byte) =>
      i16x8.narrow_i32x4_s(rounded(v128.load(at, byte)), rounded(v128.load(at, byte + 16))),
    );
    f.do(v128.store(i32.add(to, k), i8x16.add(i8x16.narrow_i16x8_s(low, high), offset)));
    f.set(k, i32.add(k, 16));
  });
  loop(f, k, columns, (i) => {
    const q = rounded(v128.load32_zero(i32.add(from, i32.shl(i, 2))));
    f.do(i32.store8(i32.add(to, i), i32.add(i32x4.extract_lane(q, 0), INT8_OFFSET)));
  });
}

/** The largest of four non-negative floats. */
function maximumLane(f: FunctionBuilder, lanes: Local<'v128'>) {
  const swapped = (order: number[]) => f.set(lanes, i32x4.max_s(lanes, i8x16.shuffle(lanes, lanes, lanes32(...order))));
  swapped([2, 3, 0, 1]);
  swapped([1, 0, 3, 2]);
  return f32x4.extract_lane(lanes, 0);
}
