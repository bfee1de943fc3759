import type { FunctionBuilder, FunctionHandle, Local } from '../../../assembler/assembler.ts';
import { call, i32, v128 } from '../../../assembler/instructions.ts';
import { kernel, loop, remaining } from '../../kernel.ts';
import { signOf, unit } from '../../multi-bias.ts';
import { BLOCK_COLUMNS, ROW_BYTES, writeBlock } from '../block.ts';
import { FLOAT_BLOCK, MAX_TILE_ROWS, PANEL, STEP_BYTES } from '../tile.ts';

// Products of Y = multiBias(X) [rows, T·M] that compute it from X [rows, M] as they go. Y is T times as large as X, and never stored
// as a whole.

/** M is a multiple of it, so that all units of a vector have the same threshold. */
export const UNITS_PER_VECTOR = 4;
/** M is less: a row of X has less than the 64 kB behind which an address may not be valid. */
export const FROM_UNITS_MAX_VALUES = 16_384;

/** Rows of the result that a task computes: a multiple of 5 and 6, the rows of a wide tile. */
export const FROM_UNITS_ROWS_PER_TASK = 30;
/** The largest number of columns of the result. */
export const FROM_UNITS_MAX_COLUMNS = BLOCK_COLUMNS[0];
const UNITS_ROW_BYTES = 4 * FLOAT_BLOCK;
const UNITS_BYTES = MAX_TILE_ROWS * UNITS_ROW_BYTES;
/** Bytes of memory per thread: units of the rows of a tile, and sums. */
export const FROM_UNITS_BYTES = UNITS_BYTES + FROM_UNITS_ROWS_PER_TASK * ROW_BYTES;

/** C = Y · P + bias, sent to the sink, with the sums of `multiply`. A task computes some rows. */
export const multiplyFromUnits = kernel(
  {
    x: 'i32',
    unitBias: 'i32',
    values: 'i32',
    rows: 'i32',
    panels: 'i32',
    steps: 'i32',
    columns: 'i32',
    bias: 'i32',
    sums: 'i32',
    sink: 'i32',
    isWide: 'i32',
  },
  (f, p, { task, thread, shared }) => {
    const row = f.local('i32', i32.mul(task, FROM_UNITS_ROWS_PER_TASK));
    const height = remaining(f, p.rows, row, i32.const(FROM_UNITS_ROWS_PER_TASK));
    const units = f.local('i32', i32.add(p.sums, i32.mul(thread, FROM_UNITS_BYTES)));
    const sums = f.local('i32', i32.add(units, UNITS_BYTES));
    const xRow = f.local('i32', i32.add(p.x, i32.mul(row, i32.shl(p.values, 2))));
    const { float } = shared.tiles;
    f.if(
      p.isWide,
      () => eachTile(f, { ...p, height, units, sums, xRow }, float.wide),
      () => eachTile(f, { ...p, height, units, sums, xRow }, float.narrow),
    );
    const block = { height, width: p.columns, sums, rowBytes: ROW_BYTES };
    const origin = f.local('i32', i32.const(0));
    const place = { origin, row, column: origin, stride: p.columns };
    writeBlock(f, block, { ...place, bias: p.bias, sink: p.sink }, shared);
  },
);

type Task = Record<
  'xRow' | 'unitBias' | 'values' | 'panels' | 'steps' | 'columns' | 'height' | 'units' | 'sums',
  Local<'i32'>
>;

/** Computes the sums of a task: in each block of k the units of as many rows as a tile has, then their sums with all panels. */
function eachTile(f: FunctionBuilder, p: Task, tiles: readonly FunctionHandle[]): void {
  const panelBytes = f.local('i32', i32.mul(p.steps, STEP_BYTES));
  loop(
    f,
    0,
    p.steps,
    (step) => {
      const steps = remaining(f, p.steps, step, i32.const(FLOAT_BLOCK));
      const end = f.local('i32', i32.add(step, steps));
      const firstPanel = f.local('i32', i32.add(p.panels, i32.mul(step, STEP_BYTES)));
      loop(
        f,
        0,
        p.height,
        (row) => {
          const rows = remaining(f, p.height, row, i32.const(tiles.length));
          writeUnits(f, { ...p, row, rows, first: step, end });
          const panel = f.local('i32', firstPanel);
          loop(
            f,
            0,
            p.columns,
            (column) => {
              const c = f.local('i32', i32.add(i32.add(p.sums, i32.mul(row, ROW_BYTES)), i32.shl(column, 2)));
              for (const [i, tile] of tiles.entries()) {
                f.if(i32.eq(rows, i + 1), () =>
                  f.do(call(tile, p.units, UNITS_ROW_BYTES, panel, steps, c, ROW_BYTES, step)),
                );
              }
              f.set(panel, i32.add(panel, panelBytes));
            },
            PANEL,
          );
        },
        tiles.length,
      );
    },
    FLOAT_BLOCK,
  );
}

/** Computes units `first` to `end` of some rows, one row behind the other: for each threshold the run of columns of X that they
 *  are computed from. */
function writeUnits(
  f: FunctionBuilder,
  p: Record<'xRow' | 'unitBias' | 'values' | 'units' | 'row' | 'rows' | 'first' | 'end', Local<'i32'>>,
): void {
  const xBytes = f.local('i32', i32.shl(p.values, 2));
  const ofRows = f.local('i32', i32.add(p.xRow, i32.mul(p.row, xBytes)));
  const start = f.local('i32', p.first);
  f.while(i32.lt_u(start, p.end), () => {
    const threshold = f.local('i32', i32.div_u(start, p.values));
    const column = f.local('i32', i32.sub(start, i32.mul(threshold, p.values)));
    const [ofThreshold, left] = [f.local('i32', i32.sub(p.values, column)), f.local('i32', i32.sub(p.end, start))];
    const length = f.local('i32', i32.min_u(ofThreshold, left));
    const sign = signOf(f, threshold);
    const bias = f.local('i32', i32.add(p.unitBias, i32.shl(start, 2)));
    const x = f.local('i32', i32.add(ofRows, i32.shl(column, 2)));
    const to = f.local('i32', i32.add(p.units, i32.shl(i32.sub(start, p.first), 2)));
    loop(f, 0, p.rows, () => {
      inVectors(f, length, (offset, at) => {
        const [from, b, target] = [x, bias, to].map((address) => f.local('i32', i32.add(address, offset)));
        const results = at.map((byte) => f.local('v128', unit(v128.load(from, byte), sign, v128.load(b, byte))));
        for (const [i, byte] of at.entries()) f.do(v128.store(target, results[i], byte));
      });
      f.set(x, i32.add(x, xBytes));
      f.set(to, i32.add(to, UNITS_ROW_BYTES));
    });
    f.set(start, i32.add(start, length));
  });
}

/** Runs `body` over `length` floats, two vectors at a time, which V8 can fuse to one of 256 bits, and over a last one. */
function inVectors(
  f: FunctionBuilder,
  length: Local<'i32'>,
  body: (offset: Local<'i32'>, bytes: readonly number[]) => void,
): void {
  const offset = f.local('i32', i32.const(0));
  const end = f.local('i32', i32.shl(length, 2));
  f.while(i32.lt_u(i32.add(offset, 16), end), () => {
    body(offset, [0, 16]);
    f.set(offset, i32.add(offset, 32));
  });
  f.if(i32.lt_u(offset, end), () => body(offset, [0]));
}
