import type { Expr, FunctionBuilder, Local } from '../../assembler/assembler.ts';
import { f32, i8x16, i32, type V128, v128 } from '../../assembler/instructions.ts';
import { kernel, loop } from '../kernel.ts';

/** The byte indices for i8x16.shuffle that pick 32-bit lanes of two vectors: 0–3 of the first, 4–7 of the second. */
export const lanes32 = (...lanes: number[]) => lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
/** The same for 16-bit lanes: 0–7 of the first vector, 8–15 of the second. */
const lanes16 = (...lanes: number[]) => lanes.flatMap((lane) => [0, 1].map((byte) => 2 * lane + byte));

/** Transposes four vectors of four 32-bit numbers. */
export function transpose4(f: FunctionBuilder, rows: readonly V128[]): Local<'v128'>[] {
  const mix = (a: V128, b: V128, lanes: number[]) => f.local('v128', i8x16.shuffle(a, b, lanes));
  const [low01, low23] = [mix(rows[0], rows[1], lanes32(0, 4, 1, 5)), mix(rows[2], rows[3], lanes32(0, 4, 1, 5))];
  const [high01, high23] = [mix(rows[0], rows[1], lanes32(2, 6, 3, 7)), mix(rows[2], rows[3], lanes32(2, 6, 3, 7))];
  return [
    mix(low01, low23, lanes32(0, 1, 4, 5)),
    mix(low01, low23, lanes32(2, 3, 6, 7)),
    mix(high01, high23, lanes32(0, 1, 4, 5)),
    mix(high01, high23, lanes32(2, 3, 6, 7)),
  ];
}

/** Transposes eight vectors of eight 16-bit numbers. */
export function transpose8(f: FunctionBuilder, rows: readonly V128[]): Local<'v128'>[] {
  const mix = (a: V128, b: V128, lanes: number[]) => f.local('v128', i8x16.shuffle(a, b, lanes));
  const [low, high] = [lanes16(0, 8, 1, 9, 2, 10, 3, 11), lanes16(4, 12, 5, 13, 6, 14, 7, 15)];
  // Interleave pairs of rows, then groups of four: columns 0–1, 2–3, 4–5, 6–7, of rows 0–3 and of rows 4–7.
  const pairs = [0, 2, 4, 6].map((r) => [mix(rows[r], rows[r + 1], low), mix(rows[r], rows[r + 1], high)]);
  const fours = [0, 2].map((r) =>
    [0, 1].flatMap((half) => [
      mix(pairs[r][half], pairs[r + 1][half], lanes32(0, 4, 1, 5)),
      mix(pairs[r][half], pairs[r + 1][half], lanes32(2, 6, 3, 7)),
    ]),
  );
  return [0, 1, 2, 3].flatMap((two) => [
    mix(fours[0][two], fours[1][two], lanes32(0, 1, 4, 5)),
    mix(fours[0][two], fours[1][two], lanes32(2, 3, 6, 7)),
  ]);
}

/** From four rows of sixteen bytes, the four bytes of each column. */
export function transposeBytes(f: FunctionBuilder, rows: readonly V128[]): Local<'v128'>[] {
  const mix = (a: V128, b: V128, lanes: number[]) => f.local('v128', i8x16.shuffle(a, b, lanes));
  const [low, high] = [0, 8].map((first) => Array.from({ length: 16 }, (_, i) => first + (i >> 1) + 16 * (i & 1)));
  return [low, high].flatMap((half) => {
    const [upper, lower] = [mix(rows[0], rows[1], half), mix(rows[2], rows[3], half)];
    return [
      mix(upper, lower, lanes16(0, 8, 1, 9, 2, 10, 3, 11)),
      mix(upper, lower, lanes16(4, 12, 5, 13, 6, 14, 7, 15)),
    ];
  });
}

/** 16 rows are one cache line of the target. */
export const TRANSPOSE_ROWS_PER_TASK = 16;

/** target[j][i] = source[i][j]: [rows, columns] → [columns, rows]. A task transposes some rows of the source. */
export const transpose = kernel(
  { source: 'i32', target: 'i32', rows: 'i32', columns: 'i32' },
  (f, { source, target, rows, columns }, { task }) => {
    const first = f.local('i32', i32.mul(task, TRANSPOSE_ROWS_PER_TASK));
    const end = f.local('i32', i32.min_u(rows, f.local('i32', i32.add(first, TRANSPOSE_ROWS_PER_TASK))));
    const sourceRow = f.local('i32', i32.shl(columns, 2));
    const targetRow = f.local('i32', i32.shl(rows, 2));
    const address = (base: Local<'i32'>, row: Local<'i32'>, stride: Local<'i32'>, column: Local<'i32'>) =>
      i32.add(i32.add(base, i32.mul(row, stride)), i32.shl(column, 2));
    const copyOne = (row: Local<'i32'>, column: Local<'i32'>) => {
      const value = f32.load(address(source, row, sourceRow, column));
      f.do(f32.store(address(target, column, targetRow, row), value));
    };
    const row = f.local('i32');
    const column = f.local('i32', i32.const(0));
    // Four columns at a time, for all rows of the task. Cache lines of the target map to few cache sets, so each is filled
    // before it is evicted.
    f.while(i32.lt_u(i32.add(column, 3), columns), () => {
      f.set(row, first);
      f.while(i32.lt_u(i32.add(row, 3), end), () => {
        transposeBlock(
          f,
          { from: address(source, row, sourceRow, column), stride: sourceRow },
          {
            to: address(target, column, targetRow, row),
            targetStride: targetRow,
          },
        );
        f.set(row, i32.add(row, 4));
      });
      loop(f, row, end, (i) => {
        for (let j = 0; j < 4; j++) copyOne(i, f.local('i32', i32.add(column, j)));
      });
      f.set(column, i32.add(column, 4));
    });
    loop(f, column, columns, (j) => loop(f, first, end, (i) => copyOne(i, j)));
  },
);

/** Copies the transpose of a 4 × 4 block. */
function transposeBlock(
  f: FunctionBuilder,
  { from, stride }: { from: Expr<'i32'>; stride: Local<'i32'> },
  { to, targetStride }: { to: Expr<'i32'>; targetStride: Local<'i32'> },
): void {
  const read = f.local('i32', from);
  const write = f.local('i32', to);
  const rows = [0, 1, 2, 3].map(() => {
    const vector = f.local('v128', v128.load(read));
    f.set(read, i32.add(read, stride));
    return vector;
  });
  for (const vector of transpose4(f, rows)) {
    f.do(v128.store(write, vector));
    f.set(write, i32.add(write, targetStride));
  }
}
