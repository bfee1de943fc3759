import type { FunctionHandle, ModuleBuilder } from '../../assembler/assembler.ts';
import { call, i32 } from '../../assembler/instructions.ts';
import { kernel } from '../kernel.ts';
import { addPackByteColumns, addPackByteRows } from './pack-bytes.ts';
import { addPackColumns, addPackRows } from './pack-floats.ts';
import { addPackPixelColumns, addPackPixelRows } from './pack-pixels.ts';
import { PANEL_PARAMETERS } from './panels.ts';
import { PANEL, type TILES } from './tile.ts';

// Packs an operand of a product into panels, the order in which a tile reads it. Columns of a panel beyond the end of the matrix
// may hold anything, since their sums are not read; if k ends within a step, zeros follow.

/** The layouts that `pack` and `multiply` read, by the tiles that they are packed for and by what k runs over in the source. */
export const PACK_LAYOUTS = {
  float: { rows: 1, columns: 2 },
  int16: { rows: 3, columns: 4 },
  int8: { rows: 5, columns: 6 },
} as const satisfies Record<keyof typeof TILES, Record<'rows' | 'columns', number>>;
/** Stands for a layout in `multiply` if the panels are packed already. */
export const NOT_PACKED = 0;

/** Adds the function (layout, source, bytes between its rows, its rows, its columns, first column, end of the columns, panels,
 *  bytes of a panel). */
export function addPack(module: ModuleBuilder, { int8 }: { readonly int8: boolean }): FunctionHandle {
  const { float, int16, int8: bytes } = PACK_LAYOUTS;
  const functions = new Map<number, FunctionHandle>([
    [float.rows, addPackRows(module)],
    [float.columns, addPackColumns(module)],
    [int16.rows, addPackPixelRows(module)],
    [int16.columns, addPackPixelColumns(module)],
  ]);
  if (int8) functions.set(bytes.rows, addPackByteRows(module)).set(bytes.columns, addPackByteColumns(module));
  return module.function(['i32', ...PANEL_PARAMETERS], (f, wanted, ...args) => {
    for (const [layout, handle] of functions) f.if(i32.eq(wanted, layout), () => f.do(call(handle, ...args)));
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
    panelBytes: 'i32',
    panels: 'i32',
    groupBytes: 'i32',
    groupTasks: 'i32',
  },
  (
    f,
    { layout, source, stride, rows, columns, count, panelBytes, panels, groupBytes, groupTasks },
    { task, shared },
  ) => {
    const group = f.local('i32', i32.div_u(task, groupTasks));
    const first = f.local('i32', i32.mul(i32.rem_u(task, groupTasks), PACK_PANELS_PER_TASK * PANEL));
    const end = i32.min_u(count, f.local('i32', i32.add(first, PACK_PANELS_PER_TASK * PANEL)));
    const matrix = f.local('i32', i32.add(source, i32.mul(group, groupBytes)));
    const groupPanels = i32.shr_u(i32.add(count, PANEL - 1), 4);
    const panel = i32.add(i32.mul(group, groupPanels), i32.shr_u(first, 4));
    const to = f.local('i32', i32.add(panels, i32.mul(panel, panelBytes)));
    f.do(call(shared.pack, layout, matrix, stride, rows, columns, first, end, to, panelBytes));
  },
);
