import type { FunctionBuilder, Local } from '../../assembler/assembler.ts';
import { call, f32, f32x4, i32, i32x4, v128 } from '../../assembler/instructions.ts';
import { loop, type SharedFunctions, vectorised } from '../kernel.ts';
import { transpose4 } from './transpose.ts';

/** Rows of a block, the part of a product that one task computes, for a product of `rows` rows: all of up to 64, else 60, a
 *  multiple of 4, 5 and 6, the rows of a tile. */
export function blockRows(rows: number): number {
  return rows <= MAX_ROWS ? rows : 60;
}
const MAX_ROWS = 64;
/** The side of a block of a symmetric product, a square. */
export const SQUARE = MAX_ROWS;
/** Columns of a block: the largest number that leaves enough tasks for all threads. */
export const BLOCK_COLUMNS = [128, 64, 16] as const;

/** Bytes of a row of sums. */
export const ROW_BYTES = 4 * BLOCK_COLUMNS[0];
const TRANSPOSED_ROW_BYTES = 4 * MAX_ROWS;
/** Bytes per thread: the sums of a block, and their transpose. */
export const SUMS_BYTES = MAX_ROWS * ROW_BYTES + BLOCK_COLUMNS[0] * TRANSPOSED_ROW_BYTES;

/** A block of the result while it is computed. */
export interface Block {
  readonly height: Local<'i32'>;
  readonly width: Local<'i32'>;
  readonly sums: Local<'i32'>;
  /** The distance from one row of sums to the next. */
  readonly rowBytes: number;
}

/** Transposes a block into the memory behind its sums. */
export function transposeBlock(f: FunctionBuilder, { height, width, sums }: Block): Block {
  const target = f.local('i32', i32.add(sums, MAX_ROWS * ROW_BYTES));
  loop(
    f,
    0,
    height,
    (row) => {
      loop(
        f,
        0,
        width,
        (column) => {
          const from = f.local('i32', i32.add(i32.add(sums, i32.mul(row, ROW_BYTES)), i32.shl(column, 2)));
          const to = f.local('i32', i32.add(i32.add(target, i32.mul(column, TRANSPOSED_ROW_BYTES)), i32.shl(row, 2)));
          const rows = [0, 1, 2, 3].map((i) => f.local('v128', v128.load(from, i * ROW_BYTES)));
          for (const [i, vector] of transpose4(f, rows).entries())
            f.do(v128.store(to, vector, i * TRANSPOSED_ROW_BYTES));
        },
        4,
      );
    },
    4,
  );
  return { height: width, width: height, sums: target, rowBytes: TRANSPOSED_ROW_BYTES };
}

/** Stores the transpose of a block, with scaled columns, at its place in a matrix at the address `target`. Its height and width
 *  are multiples of four. */
export function storeTransposed(
  f: FunctionBuilder,
  { height, width, sums }: Block,
  { target, row, column, stride, scales }: Record<'target' | 'row' | 'column' | 'stride' | 'scales', Local<'i32'>>,
): void {
  const rowBytes = f.local('i32', i32.shl(stride, 2));
  const toRow = f.local('i32', i32.add(target, i32.add(i32.mul(row, rowBytes), i32.shl(column, 2))));
  const scalesHere = f.local('i32', i32.add(scales, i32.shl(column, 2)));
  const fromColumn = f.local('i32', sums);
  const steps = (count: Local<'i32'>, body: () => void) => loop(f, 0, count, body, 4);
  steps(width, () => {
    const [from, to, scale] = [fromColumn, toRow, scalesHere].map((address) => f.local('i32', address));
    steps(height, () => {
      const rows = [0, 1, 2, 3].map((i) => f.local('v128', v128.load(from, i * ROW_BYTES)));
      const factors = f.local('v128', v128.load(scale));
      const address = f.local('i32', to);
      for (const vector of transpose4(f, rows)) {
        f.do(v128.store(address, f32x4.mul(vector, factors)));
        f.set(address, i32.add(address, rowBytes));
      }
      f.set(from, i32.add(from, 4 * ROW_BYTES));
      f.set(to, i32.add(to, 16));
      f.set(scale, i32.add(scale, 16));
    });
    f.set(fromColumn, i32.add(fromColumn, 16));
    f.set(toRow, i32.add(toRow, i32.shl(rowBytes, 2)));
  });
}

/** Copies what is above the diagonal of a square block below it. */
export function mirrorBlock(
  f: FunctionBuilder,
  { height, sums, rowBytes }: Record<'height' | 'sums' | 'rowBytes', Local<'i32'>>,
): void {
  const rowsAt = (row: Local<'i32'>, column: Local<'i32'>) => {
    const first = f.local('i32', i32.add(i32.add(sums, i32.mul(row, rowBytes)), i32.shl(column, 2)));
    return [0, 1, 2, 3].map((i) => f.local('i32', i32.add(first, i32.mul(rowBytes, i))));
  };
  const isBelow = [0, 1, 2, 3].map((i) =>
    v128.const(new Uint8Array(Int32Array.from([0, 1, 2, 3], (j) => (j < i ? -1 : 0)).buffer)),
  );
  loop(
    f,
    0,
    height,
    (row) => {
      loop(
        f,
        row,
        height,
        (column) => {
          const [from, to] = [rowsAt(row, column), rowsAt(column, row)];
          const rows = from.map((address) => f.local('v128', v128.load(address)));
          const mirrored = transpose4(f, rows);
          const isDiagonal = f.local('v128', i32x4.splat(i32.sub(0, i32.eq(row, column))));
          for (const [i, vector] of mirrored.entries()) {
            const keeps = v128.andnot(isDiagonal, isBelow[i]);
            f.do(v128.store(to[i], v128.bitselect(rows[i], vector, keeps)));
          }
        },
        4,
      );
    },
    4,
  );
}

/** Where a block goes: `origin` is the first element of the result, `stride` the distance from one of its rows to the next. */
interface BlockOutput extends Record<'origin' | 'row' | 'column' | 'stride' | 'bias' | 'sink', Local<'i32'>> {
  /** Addresses of the scale factors of the rows or of the columns; 0 for none. */
  readonly rowScales?: Local<'i32'>;
  readonly columnScales?: Local<'i32'>;
}

/** Scales a finished block, adds the bias and sends it to the sink, row by row. */
export function writeBlock(
  f: FunctionBuilder,
  { height, width, sums, rowBytes }: Block,
  { origin, row, column, stride, bias, sink, rowScales, columnScales }: BlockOutput,
  shared: SharedFunctions,
): void {
  const from = f.local('i32', sums);
  const first = f.local('i32', i32.add(origin, i32.add(i32.mul(row, stride), column)));
  const atColumn = (base: Local<'i32'>) => f.local('i32', i32.add(base, i32.shl(column, 2)));
  const biasHere = atColumn(bias);
  const apply = (by: Local<'i32'>, operation: typeof f32x4.add) =>
    vectorised(f, width, (i, { load, store }) => {
      const at = i32.add(from, i);
      store(at, operation(load(at), load(i32.add(by, i))));
    });
  const columnScalesHere = columnScales && atColumn(columnScales);
  const rowScale = f.local('f32', f32.const(1));
  const rowScaleAddress = rowScales && f.local('i32', i32.add(rowScales, i32.shl(row, 2)));
  loop(f, 0, height, () => {
    if (columnScalesHere) f.if(columnScales, () => apply(columnScalesHere, f32x4.mul));
    if (rowScaleAddress) {
      f.if(rowScales, () => f.set(rowScale, f32.load(rowScaleAddress)));
      f.set(rowScaleAddress, i32.add(rowScaleAddress, 4));
    }
    f.if(bias, () => {
      if (rowScaleAddress) scaleRow(f, from, width, rowScale);
      apply(biasHere, f32x4.add);
    });
    f.do(call(shared.sink, sink, first, from, width, rowScale));
    f.set(from, i32.add(from, rowBytes));
    f.set(first, i32.add(first, stride));
  });
}

/** Scales a row before a bias is added to it, and sets the scale to 1 so that the sink does not scale it again. */
function scaleRow(f: FunctionBuilder, from: Local<'i32'>, width: Local<'i32'>, scale: Local<'f32'>): void {
  const factor = f.local('v128', f32x4.splat(scale));
  vectorised(f, width, (i, { load, store }) => store(i32.add(from, i), f32x4.mul(load(i32.add(from, i)), factor)));
  f.set(scale, f32.const(1));
}
