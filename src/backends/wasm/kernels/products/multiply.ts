import type { FunctionBuilder, FunctionHandle, Local } from '../../assembler/assembler.ts';
import { call, i32, select } from '../../assembler/instructions.ts';
import { kernel, loop, remaining, type SharedFunctions } from '../kernel.ts';
import {
  type Block,
  mirrorBlock,
  ROW_BYTES,
  SUMS_BYTES,
  storeTransposed,
  transposeBlock,
  writeBlock,
} from './block.ts';
import { chooseTiles, PANEL, STEP_BYTES } from './tile.ts';

/** C = A · P, with A [rows, k] stored by rows and P [k, columns] in panels. If only one task needs each panel, that task
 *  packs it (`pack` ≠ 0). The groups of a product are separate pairs of matrices; `group…` is the distance from one to the
 *  next, in bytes (`groupOrigin`: in elements of the result). A task computes a block of one C, scales its rows (`scales` ≠
 *  0), transposes it (`transposed`), adds the bias (`bias` ≠ 0, one value per column of the result) and sends it to the sink,
 *  row by row. A result that is only stored and has no bias does not need the sink: `target` ≠ 0 is its address. If not
 *  transposed, it has whole panels of columns, and the tiles add it up in place; if transposed, it has scales, and rows and
 *  columns in fours (`storeTransposed`). Every sum runs over k in ascending order, in blocks of `blockSteps` steps, whatever the
 *  size of a block and the number of threads; behind each block, a panel has `blockTail` bytes more. */
export const multiply = kernel(
  {
    a: 'i32',
    aStride: 'i32',
    panels: 'i32',
    panelBytes: 'i32',
    steps: 'i32',
    blockSteps: 'i32',
    blockTail: 'i32',
    rows: 'i32',
    columns: 'i32',
    blockRows: 'i32',
    blockColumns: 'i32',
    rowBlocks: 'i32',
    groupTasks: 'i32',
    groupA: 'i32',
    groupPanels: 'i32',
    groupSource: 'i32',
    groupScales: 'i32',
    groupBias: 'i32',
    groupOrigin: 'i32',
    stride: 'i32',
    sums: 'i32',
    scales: 'i32',
    transposed: 'i32',
    bias: 'i32',
    sink: 'i32',
    target: 'i32',
    symmetric: 'i32',
    tiles: 'i32',
    isWide: 'i32',
    pack: 'i32',
    source: 'i32',
    sourceStride: 'i32',
    sourceRows: 'i32',
    sourceColumns: 'i32',
  },
  (f, p, { task, thread, shared }) => {
    const group = f.local('i32', i32.div_u(task, p.groupTasks));
    const blockOfGroup = f.local('i32', i32.rem_u(task, p.groupTasks));
    const rowStart = f.local('i32', i32.mul(i32.rem_u(blockOfGroup, p.rowBlocks), p.blockRows));
    const columnStart = f.local('i32', i32.mul(i32.div_u(blockOfGroup, p.rowBlocks), p.blockColumns));
    // The blocks of a symmetric product are squares. Those below the diagonal are copies.
    f.if(i32.and(p.symmetric, i32.gt_u(rowStart, columnStart)), () => f.return());
    const isDiagonal = f.local('i32', i32.and(p.symmetric, i32.eq(rowStart, columnStart)));
    const height = remaining(f, p.rows, rowStart, p.blockRows);
    const width = remaining(f, p.columns, columnStart, p.blockColumns);
    const sums = f.local('i32', i32.add(p.sums, i32.mul(thread, SUMS_BYTES)));
    const block: Block = { height, width, sums, rowBytes: ROW_BYTES };
    const a = f.local('i32', i32.add(i32.add(p.a, i32.mul(group, p.groupA)), i32.mul(rowStart, p.aStride)));
    const panels = f.local('i32');
    f.if(
      p.pack,
      () => {
        f.set(panels, i32.add(p.panels, i32.mul(i32.mul(thread, i32.div_u(p.blockColumns, PANEL)), p.panelBytes)));
        const source = f.local('i32', i32.add(p.source, i32.mul(group, p.groupSource)));
        packBlock(f, block, { ...p, source, first: columnStart, panels }, shared);
      },
      () => {
        const ofGroup = i32.add(p.panels, i32.mul(group, p.groupPanels));
        f.set(panels, i32.add(ofGroup, i32.mul(i32.div_u(columnStart, PANEL), p.panelBytes)));
      },
    );

    const to = f.local('i32', sums);
    const rowBytes = f.local('i32', i32.const(ROW_BYTES));
    const ofTarget = f.local('i32', i32.add(p.target, i32.shl(i32.mul(group, p.groupOrigin), 2)));
    const isSummedInPlace = f.local('i32', select(i32.const(0), p.target, p.transposed));
    f.if(isSummedInPlace, () => {
      f.set(rowBytes, i32.shl(p.stride, 2));
      f.set(to, i32.add(ofTarget, i32.shl(i32.add(i32.mul(rowStart, p.stride), columnStart), 2)));
    });
    loop(
      f,
      0,
      p.steps,
      (step) => {
        const steps = remaining(f, p.steps, step, p.blockSteps);
        const panel = f.local('i32', panels);
        loop(
          f,
          0,
          width,
          (column) => {
            const tile = {
              a: f.local('i32', i32.add(a, i32.shl(step, 2))),
              aStride: p.aStride,
              panel,
              steps,
              c: f.local('i32', i32.add(to, i32.shl(column, 2))),
              rowBytes,
              adds: step,
            };
            const rows = f.local('i32', height);
            f.if(isDiagonal, () => f.set(rows, i32.min_u(height, f.local('i32', i32.add(column, PANEL)))));
            chooseTiles(f, p, shared.tiles, (tiles) => tileColumn(f, rows, tile, tiles));
            f.set(panel, i32.add(panel, p.panelBytes));
          },
          PANEL,
        );
        f.set(panels, i32.add(panels, i32.add(i32.mul(steps, STEP_BYTES), p.blockTail)));
      },
      p.blockSteps,
    );

    f.if(isDiagonal, () => mirrorBlock(f, { height, sums: to, rowBytes }));
    f.if(isSummedInPlace, () => f.return());
    const scales = ofGroup(f, p.scales, group, p.groupScales);
    f.if(p.target, () => {
      const place = { row: columnStart, column: rowStart, stride: p.stride, scales };
      storeTransposed(f, block, { ...place, target: ofTarget });
      f.return();
    });
    const output = {
      origin: f.local('i32', i32.mul(group, p.groupOrigin)),
      stride: p.stride,
      sink: p.sink,
      bias: ofGroup(f, p.bias, group, p.groupBias),
    };
    const isCopied = f.local('i32', i32.and(p.symmetric, i32.lt_u(rowStart, columnStart)));
    f.if(i32.or(p.transposed, isCopied), () => {
      const transposed = transposeBlock(f, block);
      writeBlock(f, transposed, { ...output, row: columnStart, column: rowStart, columnScales: scales }, shared);
    });
    f.if(i32.eqz(p.transposed), () =>
      writeBlock(f, block, { ...output, row: rowStart, column: columnStart, rowScales: scales }, shared),
    );
  },
);

/** The address of the part of an array that belongs to a group. That of an array that is left out stays 0. */
function ofGroup(f: FunctionBuilder, array: Local<'i32'>, group: Local<'i32'>, bytes: Local<'i32'>): Local<'i32'> {
  const address = f.local('i32', array);
  f.if(address, () => f.set(address, i32.add(address, i32.mul(group, bytes))));
  return address;
}

/** Packs the panels of a block into the memory of this thread. */
function packBlock(
  f: FunctionBuilder,
  { width }: Block,
  p: Record<
    'pack' | 'source' | 'sourceStride' | 'sourceRows' | 'sourceColumns' | 'first' | 'panels' | 'panelBytes',
    Local<'i32'>
  >,
  shared: SharedFunctions,
): void {
  const end = f.local('i32', i32.add(p.first, width));
  const { pack, source, sourceStride, sourceRows, sourceColumns, first, panels, panelBytes } = p;
  f.do(call(shared.pack, pack, source, sourceStride, sourceRows, sourceColumns, first, end, panels, panelBytes));
}

/** Computes the sums of the first rows of a block with one panel, tile by tile. */
export function tileColumn(
  f: FunctionBuilder,
  rows: Local<'i32'>,
  {
    a,
    aStride,
    panel,
    steps,
    c,
    rowBytes,
    adds,
  }: Record<'a' | 'aStride' | 'panel' | 'steps' | 'c' | 'rowBytes' | 'adds', Local<'i32'>>,
  tiles: readonly FunctionHandle[],
): void {
  const maxRows = tiles.length;
  const left = f.local('i32', rows);
  const run = (tile: FunctionHandle) => f.do(call(tile, a, aStride, panel, steps, c, rowBytes, adds));
  f.while(i32.ge_u(left, maxRows), () => {
    run(tiles[maxRows - 1]);
    f.set(a, i32.add(a, i32.mul(aStride, maxRows)));
    f.set(c, i32.add(c, i32.mul(rowBytes, maxRows)));
    f.set(left, i32.sub(left, maxRows));
  });
  for (let last = 1; last < maxRows; last++) f.if(i32.eq(left, last), () => run(tiles[last - 1]));
}
