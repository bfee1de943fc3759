import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../../assembler/assembler.ts';
import { i32 } from '../../assembler/instructions.ts';
import { loop } from '../kernel.ts';
import { PANEL } from './tile.ts';

// What the functions that pack an operand have in common. Rows and columns are those of the source, a matrix in row-major order.

// There is one function (source, bytes between its rows, its rows, its columns, first column of the first panel, end of the columns,
// panels, bytes of a panel) per layout of the source: its values are floats or pixels, and k runs over its rows or over its
// columns. Rows are read from their beginning to their end, for all panels, because they are far apart.

export const PANEL_PARAMETERS = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;

/** The addresses of 16 rows from `first` on. Beyond the last row they repeat it; those sums are not read. */
export function rowAddresses(
  f: FunctionBuilder,
  { source, rows, stride, first }: Record<'source' | 'rows' | 'stride' | 'first', Local<'i32'>>,
): Local<'i32'>[] {
  const last = f.local('i32', i32.sub(rows, 1));
  return Array.from({ length: PANEL }, (_, j) => {
    const row = i32.min_u(f.local('i32', i32.add(first, j)), last);
    return f.local('i32', i32.add(source, i32.mul(row, stride)));
  });
}

/** A function that packs one panel after the other. */
export function eachPanel(
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
