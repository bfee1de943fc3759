import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../../assembler/assembler.ts';
import { call, f32, i8x16, i16x8, i32, type V128, v128 } from '../../assembler/instructions.ts';
import { kernel, loop, vectorised, ZERO } from '../kernel.ts';
import { PANEL, STEP_BYTES } from './tile.ts';
import { transpose4, transpose8 } from './transpose.ts';

// Packs an operand of a product into panels, the order in which a tile reads it. Rows and columns are those of the source,
// a matrix in row-major order. Columns of a panel beyond the end of the matrix may hold anything, since their sums are not
// read; in int16 an odd last step of k is paired with zeros.

// One function (source, bytes between its rows, its rows, its columns, first column of the first panel, end of the columns,
// panels, bytes of a panel) per layout of the source: its values are floats or pixels, and k runs over its rows or over its
// columns. Rows are read from their beginning to their end, for all panels, because they are far apart.

const PANEL_PARAMETERS = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;

/** panel[k][j] = source[k][first + j] */
function addPackRows(module: ModuleBuilder): FunctionHandle {
  return module.function(PANEL_PARAMETERS, (f, source, stride, rows, columns, first, end, panels, panelBytes) => {
    const row = f.local('i32', i32.add(source, i32.shl(first, 2)));
    const ofRow = f.local('i32', panels);
    loop(f, 0, rows, () => {
      const from = f.local('i32', row);
      const to = f.local('i32', ofRow);
      loop(
        f,
        first,
        end,
        (column) => {
          const width = f.local('i32', i32.sub(columns, column));
          f.if(
            i32.ge_u(width, PANEL),
            () => {
              for (let byte = 0; byte < STEP_BYTES; byte += 16) f.do(v128.store(to, v128.load(from, byte), byte));
            },
            () => {
              for (let byte = 0; byte < STEP_BYTES; byte += 16) f.do(v128.store(to, ZERO, byte));
              vectorised(f, width, (i, { load, store }) => store(i32.add(to, i), load(i32.add(from, i))));
            },
          );
          f.set(from, i32.add(from, STEP_BYTES));
          f.set(to, i32.add(to, panelBytes));
        },
        PANEL,
      );
      f.set(row, i32.add(row, stride));
      f.set(ofRow, i32.add(ofRow, STEP_BYTES));
    });
  });
}

/** panel[k][j] = source[first + j][k] */
function addPackColumns(module: ModuleBuilder): FunctionHandle {
  return eachPanel(module, (f, source, stride, rows, columns, first, panel) => {
    const addresses = rowAddresses(f, { source, rows, stride, first });
    const k = f.local('i32', i32.const(0));
    const to = f.local('i32', panel);
    f.while(i32.lt_u(i32.add(k, 3), columns), () => {
      for (let group = 0; group < PANEL; group += 4) {
        const loaded = [0, 1, 2, 3].map((j) =>
          f.local('v128', v128.load(i32.add(addresses[group + j], i32.shl(k, 2)))),
        );
        for (const [step, vector] of transpose4(f, loaded).entries()) {
          f.do(v128.store(to, vector, step * STEP_BYTES + 4 * group));
        }
      }
      f.set(to, i32.add(to, 4 * STEP_BYTES));
      f.set(k, i32.add(k, 4));
    });
    loop(f, k, columns, (step) => {
      for (const [j, address] of addresses.entries()) {
        f.do(f32.store(to, f32.load(i32.add(address, i32.shl(step, 2))), 4 * j));
      }
      f.set(to, i32.add(to, STEP_BYTES));
    });
  });
}

/** The addresses of 16 rows from `first` on. Beyond the last row they repeat it; those sums are not read. */
function rowAddresses(
  f: FunctionBuilder,
  { source, rows, stride, first }: Record<'source' | 'rows' | 'stride' | 'first', Local<'i32'>>,
): Local<'i32'>[] {
  const last = f.local('i32', i32.sub(rows, 1));
  return Array.from({ length: PANEL }, (_, j) => {
    const row = i32.min_u(f.local('i32', i32.add(first, j)), last);
    return f.local('i32', i32.add(source, i32.mul(row, stride)));
  });
}

/** Bytes from one row of pixels to the next: an odd number of cache lines for long rows. Rows an even number of lines apart
 *  would map to the same cache sets and evict each other. */
export function pixelRowBytes(columns: number): number {
  return columns % 128 === 0 ? columns + 64 : columns;
}

/** A function that packs one panel after the other. */
function eachPanel(
  module: ModuleBuilder,
  packPanel: (
    f: FunctionBuilder,
    source: Local<'i32'>,
    stride: Local<'i32'>,
    rows: Local<'i32'>,
    columns: Local<'i32'>,
    first: Local<'i32'>,
    panel: Local<'i32'>,
  ) => void,
): FunctionHandle {
  return module.function(PANEL_PARAMETERS, (f, source, stride, rows, columns, first, end, panels, panelBytes) => {
    const panel = f.local('i32', panels);
    loop(
      f,
      first,
      end,
      (column) => {
        packPanel(f, source, stride, rows, columns, column, panel);
        f.set(panel, i32.add(panel, panelBytes));
      },
      PANEL,
    );
  });
}

/** From pixels (bytes p − 128), pairs of int16: panel[k/2][j] = (source[k][first + j], source[k + 1][first + j]). */
function addPackPixelRows(module: ModuleBuilder): FunctionHandle {
  const low = Array.from({ length: 8 }, (_, i) => [i, 16 + i]).flat();
  const high = low.map((lane) => lane + 8);
  return module.function(PANEL_PARAMETERS, (f, source, stride, rows, _columns, first, end, panels, panelBytes) => {
    const row = f.local('i32', i32.add(source, first));
    const ofPair = f.local('i32', panels);
    const packPair = (lowerOf: (from: Local<'i32'>) => V128) => {
      const from = f.local('i32', row);
      const to = f.local('i32', ofPair);
      loop(
        f,
        first,
        end,
        () => {
          const upper = f.local('v128', v128.load(from));
          const lower = f.local('v128', lowerOf(from));
          for (const [half, lanes] of [low, high].entries()) {
            const mixed = f.local('v128', i8x16.shuffle(upper, lower, lanes));
            f.do(v128.store(to, i16x8.extend_low_i8x16_s(mixed), 32 * half));
            f.do(v128.store(to, i16x8.extend_high_i8x16_s(mixed), 32 * half + 16));
          }
          f.set(from, i32.add(from, PANEL));
          f.set(to, i32.add(to, panelBytes));
        },
        PANEL,
      );
    };
    loop(f, 0, i32.shr_u(rows, 1), () => {
      packPair((from) => v128.load(i32.add(from, stride)));
      f.set(row, i32.add(row, i32.shl(stride, 1)));
      f.set(ofPair, i32.add(ofPair, STEP_BYTES));
    });
    f.if(i32.and(rows, 1), () => packPair(() => ZERO));
  });
}

/** From pixels (bytes p − 128), pairs of int16: panel[k/2][j] = (source[first + j][k], source[first + j][k + 1]). */
function addPackPixelColumns(module: ModuleBuilder): FunctionHandle {
  return eachPanel(module, (f, source, stride, rows, columns, first, panel) => {
    const to = f.local('i32', panel);
    const addresses = rowAddresses(f, { source, rows, stride, first });
    loop(
      f,
      0,
      columns,
      (k) => {
        for (let half = 0; half < 2; half++) {
          const loaded = addresses
            .slice(8 * half, 8 * half + 8)
            .map((address) => f.local('v128', v128.load(i32.add(address, k))));
          for (const [pair, vector] of transpose8(f, loaded).entries()) {
            const at = pair * STEP_BYTES + 32 * half;
            f.do(v128.store(to, i16x8.extend_low_i8x16_s(vector), at));
            f.do(v128.store(to, i16x8.extend_high_i8x16_s(vector), at + 16));
          }
        }
        f.set(to, i32.add(to, 8 * STEP_BYTES));
      },
      16,
    );
  });
}

/** The layout of the source that `pack` and `multiply` read: named after what k runs over. */
export const PACK_LAYOUT = { none: 0, rows: 1, columns: 2, pixelRows: 3, pixelColumns: 4 } as const;

/** Adds the function (layout, source, bytes between its rows, its rows, its columns, first column, end of the columns, panels,
 *  bytes of a panel). */
export function addPack(module: ModuleBuilder): FunctionHandle {
  const layouts = [
    [PACK_LAYOUT.rows, addPackRows(module)],
    [PACK_LAYOUT.columns, addPackColumns(module)],
    [PACK_LAYOUT.pixelRows, addPackPixelRows(module)],
    [PACK_LAYOUT.pixelColumns, addPackPixelColumns(module)],
  ] as const;
  return module.function(['i32', ...PANEL_PARAMETERS], (f, wanted, ...args) => {
    for (const [layout, handle] of layouts) f.if(i32.eq(wanted, layout), () => f.do(call(handle, ...args)));
  });
}

/** With bytes, four panels are one cache line of the source. */
export const PACK_PANELS_PER_TASK = 4;

/** Packs the matrices of all groups, each of `count` vectors along k, into consecutive panels. `groupBytes` is the distance
 *  from one matrix to the next, `groupTasks` the number of tasks for each. */
export const pack = kernel(
  {
    layout: 'i32',
    source: 'i32',
    stride: 'i32',
    rows: 'i32',
    columns: 'i32',
    count: 'i32',
    steps: 'i32',
    panels: 'i32',
    groupBytes: 'i32',
    groupTasks: 'i32',
  },
  (f, { layout, source, stride, rows, columns, count, steps, panels, groupBytes, groupTasks }, { task, shared }) => {
    const group = f.local('i32', i32.div_u(task, groupTasks));
    const first = f.local('i32', i32.mul(i32.rem_u(task, groupTasks), PACK_PANELS_PER_TASK * PANEL));
    const end = i32.min_u(count, f.local('i32', i32.add(first, PACK_PANELS_PER_TASK * PANEL)));
    const matrix = f.local('i32', i32.add(source, i32.mul(group, groupBytes)));
    const groupPanels = i32.shr_u(i32.add(count, PANEL - 1), 4);
    const panel = i32.add(i32.mul(group, groupPanels), i32.shr_u(first, 4));
    const to = f.local('i32', i32.add(panels, i32.mul(i32.mul(panel, steps), STEP_BYTES)));
    f.do(call(shared.pack, layout, matrix, stride, rows, columns, first, end, to, i32.mul(steps, STEP_BYTES)));
  },
);
