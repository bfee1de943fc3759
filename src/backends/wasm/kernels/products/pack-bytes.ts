import { INTEGER_FORMATS } from '../../../integers.ts';
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../../assembler/assembler.ts';
import { i32, i32x4, type V128, v128 } from '../../assembler/instructions.ts';
import { loop, ZERO } from '../kernel.ts';
import { eachPanel, PANEL_PARAMETERS, rowAddresses } from './panels.ts';
import { INT8_OFFSET, PANEL, STEP_BYTES } from './tile.ts';
import { transpose4, transposeBytes } from './transpose.ts';

// From pixels (bytes p − 128), four of them along k. Each block of k is followed by its −64 Σ p; see tile.ts.

const { block: BLOCK } = INTEGER_FORMATS.int8;
const STEP = 4;
const VECTORS = [0, 1, 2, 3];
const OFFSETS = v128.const(new Uint8Array(16).fill(INT8_OFFSET));
/** Steps whose Σ p are added up in registers. */
const STEPS_AT_ONCE = 4;

/** panel[k/4][j] = source[k … k + 3][first + j] */
export function addPackByteRows(module: ModuleBuilder): FunctionHandle {
  return module.function(PANEL_PARAMETERS, (f, source, stride, rows, _columns, first, end, panels, panelBytes) => {
    const row = f.local('i32', i32.add(source, first));
    const to = f.local('i32', panels);
    const left = f.local('i32', rows);
    const tail = f.local('i32');
    const rowsOfBlock = f.local('i32');
    const pack = (count: number) => {
      packSteps(f, { count, row, stride, to, tail, panelBytes, width: f.local('i32', i32.sub(end, first)) });
      f.set(row, i32.add(row, i32.mul(stride, count)));
      f.set(to, i32.add(to, Math.ceil(count / STEP) * STEP_BYTES));
      f.set(rowsOfBlock, i32.sub(rowsOfBlock, count));
    };
    f.while(left, () => {
      f.set(rowsOfBlock, i32.min_u(left, i32.const(BLOCK)));
      f.set(left, i32.sub(left, rowsOfBlock));
      f.set(tail, i32.add(to, i32.mul(i32.shr_u(i32.add(rowsOfBlock, STEP - 1), 2), STEP_BYTES)));
      const ofPanel = f.local('i32', tail);
      loop(f, first, end, () => clearSums(f, ofPanel, panelBytes), PANEL);
      f.while(i32.ge_u(rowsOfBlock, STEPS_AT_ONCE * STEP), () => pack(STEPS_AT_ONCE * STEP));
      f.while(i32.ge_u(rowsOfBlock, STEP), () => pack(STEP));
      for (const rest of [3, 2, 1]) f.if(i32.eq(rowsOfBlock, rest), () => pack(rest));
      f.set(to, i32.add(tail, STEP_BYTES));
    });
  });
}

function clearSums(f: FunctionBuilder, tail: Local<'i32'>, panelBytes: Local<'i32'>): void {
  for (const vector of VECTORS) f.do(v128.store(tail, ZERO, 16 * vector));
  f.set(tail, i32.add(tail, panelBytes));
}

/** Packs `count` rows into all panels, and subtracts their Σ 64 p from the sums of the block. */
function packSteps(
  f: FunctionBuilder,
  { count, ...p }: { count: number } & Record<'row' | 'stride' | 'to' | 'tail' | 'panelBytes' | 'width', Local<'i32'>>,
): void {
  const [from, to, tail] = [f.local('i32', p.row), f.local('i32', p.to), f.local('i32', p.tail)];
  loop(
    f,
    0,
    p.width,
    () => {
      const address = f.local('i32', from);
      const next = () => {
        const vector = f.local('v128', v128.load(address));
        f.set(address, i32.add(address, p.stride));
        return vector;
      };
      const sums = VECTORS.map(() => f.local('v128', ZERO));
      for (let step = 0; step * STEP < count; step++) {
        const rows = VECTORS.map((i) => (step * STEP + i < count ? next() : ZERO));
        for (const [i, vector] of transposeBytes(f, rows).entries()) {
          f.do(v128.store(to, vector, step * STEP_BYTES + 16 * i));
          addTo(f, sums[i], vector);
        }
      }
      for (const [i, sum] of sums.entries()) f.do(v128.store(tail, i32x4.sub(v128.load(tail, 16 * i), sum), 16 * i));
      f.set(from, i32.add(from, PANEL));
      f.set(to, i32.add(to, p.panelBytes));
      f.set(tail, i32.add(tail, p.panelBytes));
    },
    PANEL,
  );
}

/** panel[k/4][j] = source[first + j][k … k + 3] */
export function addPackByteColumns(module: ModuleBuilder): FunctionHandle {
  return eachPanel(module, (f, source, stride, rows, columns, first, panel) => {
    const addresses = rowAddresses(f, { source, rows, stride, first });
    const to = f.local('i32', panel);
    const k = f.local('i32', i32.const(0));
    f.while(i32.lt_u(k, columns), () => {
      const blockEnd = f.local('i32', i32.min_u(columns, f.local('i32', i32.add(k, BLOCK))));
      const sums = VECTORS.map(() => f.local('v128', ZERO));
      f.while(i32.lt_u(k, blockEnd), () => {
        for (const [group, sum] of sums.entries()) {
          const rows = VECTORS.map((j) => f.local('v128', v128.load(i32.add(addresses[4 * group + j], k))));
          for (const [step, vector] of transpose4(f, rows).entries()) {
            f.do(v128.store(to, vector, step * STEP_BYTES + 16 * group));
            addTo(f, sum, vector);
          }
        }
        f.set(to, i32.add(to, 4 * STEP_BYTES));
        f.set(k, i32.add(k, 4 * STEP));
      });
      for (const [group, sum] of sums.entries()) f.do(v128.store(to, i32x4.sub(ZERO, sum), 16 * group));
      f.set(to, i32.add(to, STEP_BYTES));
    });
  });
}

/** sum += 64 · the four bytes of each lane */
function addTo(f: FunctionBuilder, sum: Local<'v128'>, bytes: V128): void {
  f.set(sum, i32x4.relaxed_dot_i8x16_i7x16_add_s(bytes, OFFSETS, sum));
}
