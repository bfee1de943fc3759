import type { Expr, FunctionBuilder, FunctionHandle, Local } from '../assembler/assembler.ts';
import { call, f32, f32x4, i32, v128 } from '../assembler/instructions.ts';
import { kernel, loop, type SharedFunctions, vectorised } from './kernel.ts';
import { PANEL, STEP_BYTES } from './tile.ts';
import { transpose4 } from './transpose.ts';

/** Rows and columns of a block, the part of a product that is one task: as many columns as leave enough tasks for all
 *  threads. 60 is a multiple of 4, 5 and 6 rows of a tile. */
export const BLOCK_ROWS = 60;
export const BLOCK_COLUMNS = [128, 64, 16] as const;
/** Steps of k (float32, or pairs of int16) that a tile sums up before the sums go to memory. A panel's part of this length
 *  fits the first-level cache, and 512 products of int16 and a pixel fit an int32. */
const BLOCK_STEPS = 256;

const ROW_BYTES = 4 * BLOCK_COLUMNS[0];
const TURNED_ROW_BYTES = 4 * 64;
/** Bytes that each thread needs: the sums of a block, and their transpose. */
export const SUMS_BYTES = 64 * ROW_BYTES + BLOCK_COLUMNS[0] * TURNED_ROW_BYTES;

/** C = A · P, where A [rows, k] lies in rows and P [k, columns] in panels, or is packed into them here (`pack` ≠ 0) where
 *  each panel is needed by one task only. Each task makes a block of C, scales its rows
 *  (`scales` ≠ 0), transposes it (`transposed`), adds the bias (`bias` ≠ 0, one for each column of the result), and hands
 *  it row by row to the sink. Every sum runs over k upwards in blocks of 256 steps, whatever the blocks and threads. */
export const multiply = kernel(
  {
    a: 'i32',
    aStride: 'i32',
    panels: 'i32',
    steps: 'i32',
    rows: 'i32',
    columns: 'i32',
    blockColumns: 'i32',
    rowBlocks: 'i32',
    sums: 'i32',
    scales: 'i32',
    transposed: 'i32',
    bias: 'i32',
    sink: 'i32',
    isInt16: 'i32',
    isWide: 'i32',
    pack: 'i32',
    source: 'i32',
    sourceRows: 'i32',
    sourceColumns: 'i32',
  },
  (f, p, { task, thread, shared }) => {
    const rowStart = f.local('i32', i32.mul(i32.rem_u(task, p.rowBlocks), BLOCK_ROWS));
    const columnStart = f.local('i32', i32.mul(i32.div_u(task, p.rowBlocks), p.blockColumns));
    const height = rest(f, p.rows, rowStart, i32.const(BLOCK_ROWS));
    const width = rest(f, p.columns, columnStart, p.blockColumns);
    const sums = f.local('i32', i32.add(p.sums, i32.mul(thread, SUMS_BYTES)));
    const block: Block = { height, width, sums, rowBytes: ROW_BYTES };
    const a = f.local('i32', i32.add(p.a, i32.mul(rowStart, p.aStride)));
    const panelBytes = f.local('i32', i32.mul(p.steps, STEP_BYTES));
    const panels = f.local('i32');
    f.if(
      p.pack,
      () => {
        f.set(panels, i32.add(p.panels, i32.mul(i32.mul(thread, i32.div_u(p.blockColumns, PANEL)), panelBytes)));
        packBlock(f, block, { ...p, first: columnStart, panels, panelBytes }, shared);
      },
      () => f.set(panels, i32.add(p.panels, i32.mul(i32.div_u(columnStart, PANEL), panelBytes))),
    );

    loop(
      f,
      0,
      p.steps,
      (step) => {
        const steps = rest(f, p.steps, step, i32.const(BLOCK_STEPS));
        const panel = f.local('i32', i32.add(panels, i32.mul(step, STEP_BYTES)));
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
              c: f.local('i32', i32.add(sums, i32.shl(column, 2))),
              adds: step,
            };
            f.if(
              p.isInt16,
              () =>
                f.if(
                  p.isWide,
                  () => tileColumn(f, block, tile, shared.tilesInt16.wide),
                  () => tileColumn(f, block, tile, shared.tilesInt16.narrow),
                ),
              () =>
                f.if(
                  p.isWide,
                  () => tileColumn(f, block, tile, shared.tiles.wide),
                  () => tileColumn(f, block, tile, shared.tiles.narrow),
                ),
            );
            f.set(panel, i32.add(panel, panelBytes));
          },
          PANEL,
        );
      },
      BLOCK_STEPS,
    );

    f.if(
      p.transposed,
      () => {
        const turned = {
          height: width,
          width: height,
          sums: f.local('i32', i32.add(sums, 64 * ROW_BYTES)),
          rowBytes: TURNED_ROW_BYTES,
        };
        transposeBlock(f, block, turned.sums);
        emit(f, turned, { ...p, row: columnStart, column: rowStart, stride: p.rows, scalesColumns: p.scales }, shared);
      },
      () =>
        emit(f, block, { ...p, row: rowStart, column: columnStart, stride: p.columns, scalesRows: p.scales }, shared),
    );
  },
);

/** A block of the result while it is made. */
interface Block {
  readonly height: Local<'i32'>;
  readonly width: Local<'i32'>;
  readonly sums: Local<'i32'>;
  /** From one row of sums to the next. */
  readonly rowBytes: number;
}

/** min(length, all − from) */
function rest(f: FunctionBuilder, all: Local<'i32'>, from: Local<'i32'>, length: Expr<'i32'>): Local<'i32'> {
  return f.local('i32', i32.min_u(length, f.local('i32', i32.sub(all, from))));
}

/** Makes the panels of a block in memory of this thread, where they are used at once. */
function packBlock(
  f: FunctionBuilder,
  { width }: Block,
  p: Record<'pack' | 'source' | 'sourceRows' | 'sourceColumns' | 'first' | 'panels' | 'panelBytes', Local<'i32'>>,
  shared: SharedFunctions,
): void {
  const to = f.local('i32', p.panels);
  loop(
    f,
    p.first,
    i32.add(p.first, width),
    (vector) => {
      f.do(call(shared.pack, p.pack, p.source, p.sourceRows, p.sourceColumns, vector, to));
      f.set(to, i32.add(to, p.panelBytes));
    },
    PANEL,
  );
}

/** All tiles of one panel, from the first row of the block to the last. */
function tileColumn(
  f: FunctionBuilder,
  { height }: Block,
  { a, aStride, panel, steps, c, adds }: Record<'a' | 'aStride' | 'panel' | 'steps' | 'c' | 'adds', Local<'i32'>>,
  tiles: SharedFunctions['tiles']['wide'],
): void {
  const most = tiles.length;
  const left = f.local('i32', height);
  const run = (tile: FunctionHandle) => f.do(call(tile, a, aStride, panel, steps, c, ROW_BYTES, adds));
  f.while(i32.ge_u(left, most), () => {
    run(tiles[most - 1]);
    f.set(a, i32.add(a, i32.mul(aStride, most)));
    f.set(c, i32.add(c, most * ROW_BYTES));
    f.set(left, i32.sub(left, most));
  });
  for (let rows = 1; rows < most; rows++) f.if(i32.eq(left, rows), () => run(tiles[rows - 1]));
}

function transposeBlock(f: FunctionBuilder, { height, width, sums }: Block, target: Local<'i32'>): void {
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
          const to = f.local('i32', i32.add(i32.add(target, i32.mul(column, TURNED_ROW_BYTES)), i32.shl(row, 2)));
          const rows = [0, 1, 2, 3].map((i) => f.local('v128', v128.load(from, i * ROW_BYTES)));
          for (const [i, vector] of transpose4(f, rows).entries()) f.do(v128.store(to, vector, i * TURNED_ROW_BYTES));
        },
        4,
      );
    },
    4,
  );
}

interface Emission extends Record<'row' | 'column' | 'stride' | 'bias' | 'sink', Local<'i32'>> {
  /** Addresses of what the sums of each row, or of each column, are multiplied by; 0 for nothing. */
  readonly scalesRows?: Local<'i32'>;
  readonly scalesColumns?: Local<'i32'>;
}

/** Scales a finished block, adds the bias to it and hands it to the sink, row by row. */
function emit(
  f: FunctionBuilder,
  { height, width, sums, rowBytes }: Block,
  { row, column, stride, bias, sink, scalesRows, scalesColumns }: Emission,
  shared: SharedFunctions,
): void {
  const from = f.local('i32', sums);
  const first = f.local('i32', i32.add(i32.mul(row, stride), column));
  const atColumn = (base: Local<'i32'>) => f.local('i32', i32.add(base, i32.shl(column, 2)));
  const biases = atColumn(bias);
  const change = (by: Local<'i32'>, operation: typeof f32x4.add) =>
    vectorised(f, width, (i, { load, store }) => {
      const at = i32.add(from, i);
      store(at, operation(load(at), load(i32.add(by, i))));
    });
  const columnScales = scalesColumns && atColumn(scalesColumns);
  const rowScale = f.local('f32', f32.const(1));
  const rowScales = scalesRows && f.local('i32', i32.add(scalesRows, i32.shl(row, 2)));
  loop(f, 0, height, () => {
    if (columnScales) f.if(scalesColumns, () => change(columnScales, f32x4.mul));
    if (rowScales) {
      f.if(scalesRows, () => f.set(rowScale, f32.load(rowScales)));
      f.set(rowScales, i32.add(rowScales, 4));
    }
    f.if(bias, () => {
      if (rowScales) scaleRow(f, from, width, rowScale);
      change(biases, f32x4.add);
    });
    f.do(call(shared.sink, sink, first, from, width, rowScale));
    f.set(from, i32.add(from, rowBytes));
    f.set(first, i32.add(first, stride));
  });
}

/** Scales a row before a bias is added to it, and leaves nothing to scale. */
function scaleRow(f: FunctionBuilder, from: Local<'i32'>, width: Local<'i32'>, scale: Local<'f32'>): void {
  const factor = f.local('v128', f32x4.splat(scale));
  vectorised(f, width, (i, { load, store }) => store(i32.add(from, i), f32x4.mul(load(i32.add(from, i)), factor)));
  f.set(scale, f32.const(1));
}
