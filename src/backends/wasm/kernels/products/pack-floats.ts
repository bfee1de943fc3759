import type { FunctionHandle, ModuleBuilder } from '../../assembler/assembler.ts';
import { f32, i32, v128 } from '../../assembler/instructions.ts';
import { loop, vectorised, ZERO } from '../kernel.ts';
import { eachPanel, PANEL_PARAMETERS, rowAddresses } from './panels.ts';
import { PANEL, STEP_BYTES } from './tile.ts';
import { transpose4 } from './transpose.ts';

/** panel[k][j] = source[k][first + j] */
export function addPackRows(module: ModuleBuilder): FunctionHandle {
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
export function addPackColumns(module: ModuleBuilder): FunctionHandle {
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
