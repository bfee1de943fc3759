import type { FunctionHandle, Local, ModuleBuilder } from '../../assembler/assembler.ts';
import { i8x16, i16x8, i32, type V128, v128 } from '../../assembler/instructions.ts';
import { loop, ZERO } from '../kernel.ts';
import { eachPanel, PANEL_PARAMETERS, rowAddresses } from './panels.ts';
import { PANEL, STEP_BYTES } from './tile.ts';
import { transpose8 } from './transpose.ts';

/** Bytes from one row of pixels to the next: an odd number of cache lines for long rows. Rows an even number of lines apart
 *  would map to the same cache sets and evict each other. */
export function pixelRowBytes(columns: number): number {
  return columns % 128 === 0 ? columns + 64 : columns;
}

/** From pixels (bytes p − 128), pairs of int16: panel[k/2][j] = (source[k][first + j], source[k + 1][first + j]). */
export function addPackPixelRows(module: ModuleBuilder): FunctionHandle {
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
export function addPackPixelColumns(module: ModuleBuilder): FunctionHandle {
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
