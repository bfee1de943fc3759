import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../../../assembler/assembler.ts';
import { call, f32x4, i32, type V128, v128 } from '../../../assembler/instructions.ts';
import { kernel, loop, partOfRow, remaining, type UnitTiles, ZERO } from '../../kernel.ts';
import { ROW_BYTES, writeBlock } from '../block.ts';
import { type Arithmetic, FLOAT_BLOCK, PANEL, writeTile } from '../tile.ts';

/** Columns of the result that a task computes, all of the same threshold. */
export const BY_UNITS_COLUMNS_PER_TASK = 64;
/** The largest number of rows of the result. */
export const BY_UNITS_MAX_ROWS = 64;
/** Bytes of memory per thread. */
export const BY_UNITS_BYTES = BY_UNITS_MAX_ROWS * ROW_BYTES;

/** Rows of a tile whose sums V8 keeps in registers. */
const TILE_ROWS = 5;

/** Adds the functions (A, bytes between its rows, X, bytes between its rows, steps of k, biases, C, bytes between its rows, 1 to
 *  add to C, 0 to overwrite): C (+)= A · Y with Y = max(0, X + b) or, with the other `sign`, max(0, b − X), which has the bits of
 *  max(0, −X + b). */
export function addUnitTiles(module: ModuleBuilder, arithmetic: Arithmetic, sign: '+' | '−'): UnitTiles {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  const tiles = (columns: number, vectors: number) =>
    Array.from({ length: TILE_ROWS }, (_, i) =>
      module.function(types, (f, a, aStride, panel, stepBytes, steps, bias, c, cStride, adds) => {
        for (let first = 0; first < columns / 4; first += vectors) {
          const bytes = Array.from({ length: vectors }, (_, j) => 16 * (first + j));
          const biases = bytes.map((byte) => f.local('v128', v128.load(bias, byte)));
          const factor = (x: V128, j: number) =>
            f32x4.pmax(sign === '+' ? f32x4.add(x, biases[j]) : f32x4.sub(biases[j], x), ZERO);
          writeTile(f, {
            ...{ rows: i + 1, columns: bytes, arithmetic, a, aStride, panel, stepBytes, factor },
            ...{ steps, c, cStride, adds },
          });
        }
      }),
    );
  return { wide: tiles(PANEL, 4), narrow: tiles(PANEL, 2), single: tiles(4, 1) };
}

/** C = A · Y, sent to the sink, with the sums of `multiply`; A [rows, k] is stored by rows. A task computes some columns. */
export const multiplyByUnits = kernel(
  {
    a: 'i32',
    aStride: 'i32',
    rows: 'i32',
    x: 'i32',
    unitBias: 'i32',
    values: 'i32',
    units: 'i32',
    steps: 'i32',
    sums: 'i32',
    sink: 'i32',
    isWide: 'i32',
  },
  (f, p, { task, thread, shared }) => {
    const { rows: threshold, first, width } = partOfRow(f, task, p.values, BY_UNITS_COLUMNS_PER_TASK);
    const column = f.local('i32', i32.add(i32.mul(threshold, p.values), first));
    const sums = f.local('i32', i32.add(p.sums, i32.mul(thread, BY_UNITS_BYTES)));
    const place = {
      x: f.local('i32', i32.add(p.x, i32.shl(first, 2))),
      bias: f.local('i32', i32.add(p.unitBias, i32.shl(column, 2))),
      width,
      sums,
    };
    const { plus, minus } = shared.unitTiles;
    f.if(
      i32.and(threshold, 1),
      () => eachTile(f, p, place, minus),
      () => eachTile(f, p, place, plus),
    );
    const block = { height: p.rows, width, sums, rowBytes: ROW_BYTES };
    const none = f.local('i32', i32.const(0));
    const stride = f.local('i32', i32.mul(p.values, p.units));
    writeBlock(f, block, { origin: none, row: none, column, stride, bias: none, sink: p.sink }, shared);
  },
);

type Parameter = 'a' | 'aStride' | 'rows' | 'values' | 'steps' | 'isWide';
type Place = Record<'x' | 'bias' | 'width' | 'sums', Local<'i32'>>;

/** Computes the sums of a task, a few columns at a time; in each block of k, the tiles of all rows read the same part of X. */
function eachTile(
  f: FunctionBuilder,
  p: Record<Parameter, Local<'i32'>>,
  { x, bias, width, sums }: Place,
  { wide, narrow, single }: UnitTiles,
): void {
  const xBytes = f.local('i32', i32.shl(p.values, 2));
  const column = f.local('i32', i32.const(0));
  const some = (columns: number, tiles: readonly FunctionHandle[]) => {
    const at = f.local('i32', i32.shl(column, 2));
    const b = f.local('i32', i32.add(bias, at));
    loop(
      f,
      0,
      p.steps,
      (step) => {
        const steps = remaining(f, p.steps, step, i32.const(FLOAT_BLOCK));
        const from = f.local('i32', i32.add(i32.add(x, at), i32.mul(step, xBytes)));
        const a = f.local('i32', i32.add(p.a, i32.shl(step, 2)));
        const c = f.local('i32', i32.add(sums, at));
        const left = f.local('i32', p.rows);
        const run = (rows: number) =>
          f.do(call(tiles[rows - 1], a, p.aStride, from, xBytes, steps, b, c, i32.const(ROW_BYTES), step));
        f.while(i32.ge_u(left, TILE_ROWS), () => {
          run(TILE_ROWS);
          f.set(a, i32.add(a, i32.mul(p.aStride, TILE_ROWS)));
          f.set(c, i32.add(c, TILE_ROWS * ROW_BYTES));
          f.set(left, i32.sub(left, TILE_ROWS));
        });
        for (let rows = 1; rows < TILE_ROWS; rows++) f.if(i32.eq(left, rows), () => run(rows));
      },
      FLOAT_BLOCK,
    );
    f.set(column, i32.add(column, columns));
  };
  const panels = f.local('i32', i32.and(width, -PANEL));
  f.if(
    p.isWide,
    () => f.while(i32.lt_u(column, panels), () => some(PANEL, wide)),
    () => f.while(i32.lt_u(column, panels), () => some(PANEL, narrow)),
  );
  f.while(i32.lt_u(column, width), () => some(4, single));
}
