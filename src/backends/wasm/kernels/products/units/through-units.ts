import type { FunctionBuilder, FunctionHandle, Local } from '../../../assembler/assembler.ts';
import { call, f32, f32x4, i32, v128 } from '../../../assembler/instructions.ts';
import { type Access, kernel, loop, partOfRow, vectorised, ZERO } from '../../kernel.ts';
import { SUM_ROWS_PER_BLOCK } from '../../pointwise.ts';
import { MAX_TILE_ROWS, PANEL, STEP_BYTES } from '../tile.ts';

/** The numbers of units for each value that there is code for. */
export const UNITS = [2, 4];

/** Columns of x that a task computes: few enough for all its sums to stay in the L1 cache. */
export const THROUGH_UNITS_COLUMNS_PER_TASK = 128;
const ROW_BYTES = 4 * THROUGH_UNITS_COLUMNS_PER_TASK;
/** Offsets in the memory of a thread: for each unit a tile of the product, then their dX, then the sums for the biases. */
const TILE_BYTES = MAX_TILE_ROWS * 4 * PANEL;
const DX = UNITS.at(-1)! * TILE_BYTES;
const UNIT_SUMS = DX + MAX_TILE_ROWS * ROW_BYTES;
/** Bytes of memory per thread. */
export const THROUGH_UNITS_BYTES = UNIT_SUMS + UNITS.at(-1)! * ROW_BYTES;

/** With dY = A · P [rows, T·M], a product that is never stored, and U = dY ⊙ [±X + b > 0]: sends dX = Σ_t ± U_t [rows, M] to the
 *  sink, and writes the sum of each block of rows of U to `partial` [blocks, T·M]. The sums are those of `multiply`,
 *  `multiBiasDerivative` and `sumRowsWherePositive`, in the same order. A task computes some columns of X in a block of rows. */
export const multiplyThroughUnits = kernel(
  {
    a: 'i32',
    aStride: 'i32',
    panels: 'i32',
    groupPanels: 'i32',
    steps: 'i32',
    rows: 'i32',
    columns: 'i32',
    units: 'i32',
    x: 'i32',
    bias: 'i32',
    sums: 'i32',
    partial: 'i32',
    sink: 'i32',
    isWide: 'i32',
  },
  (f, p, { task, thread, shared }) => {
    const { rows: block, first: column, width } = partOfRow(f, task, p.columns, THROUGH_UNITS_COLUMNS_PER_TASK);
    const row = f.local('i32', i32.mul(block, SUM_ROWS_PER_BLOCK));
    const end = f.local('i32', i32.min_u(p.rows, f.local('i32', i32.add(row, SUM_ROWS_PER_BLOCK))));
    const tile = f.local('i32', i32.add(p.sums, i32.mul(thread, THROUGH_UNITS_BYTES)));
    const dx = f.local('i32', i32.add(tile, DX));
    const unitSums = f.local('i32', i32.add(tile, UNIT_SUMS));
    clear(f, unitSums, i32.mul(p.units, THROUGH_UNITS_COLUMNS_PER_TASK));

    const place = { column, width, row, end, tile, dx, unitSums };
    for (const units of UNITS) {
      const ofKind = { units, sink: shared.sink };
      f.if(i32.eq(p.units, units), () =>
        f.if(
          p.isWide,
          () => eachTile(f, p, place, { ...ofKind, vectors: 2, tiles: shared.tiles.float.wide }),
          () => eachTile(f, p, place, { ...ofKind, vectors: 1, tiles: shared.tiles.float.narrow }),
        ),
      );
    }

    const to = f.local('i32', i32.add(i32.mul(block, i32.mul(p.columns, p.units)), column));
    f.set(to, i32.add(p.partial, i32.shl(to, 2)));
    loop(f, 0, p.units, () => {
      vectorised(f, width, (i, { load, store }) => store(i32.add(to, i), load(i32.add(unitSums, i))));
      f.set(to, i32.add(to, i32.shl(p.columns, 2)));
      f.set(unitSums, i32.add(unitSums, ROW_BYTES));
    });
  },
);

type Parameter = 'a' | 'aStride' | 'panels' | 'groupPanels' | 'steps' | 'columns' | 'x' | 'bias' | 'sink';
type Place = Record<'column' | 'width' | 'row' | 'end' | 'tile' | 'dx' | 'unitSums', Local<'i32'>>;

/** Computes the rows of a task, as many at a time as a tile has. */
function eachTile(
  f: FunctionBuilder,
  p: Record<Parameter, Local<'i32'>>,
  { column, width, row, end, tile, dx, unitSums }: Place,
  {
    units,
    vectors,
    tiles,
    sink,
  }: { units: number; vectors: number; tiles: readonly FunctionHandle[]; sink: FunctionHandle },
): void {
  const panelBytes = f.local('i32', i32.mul(p.steps, STEP_BYTES));
  const firstPanel = f.local('i32', i32.add(p.panels, i32.mul(i32.shr_u(column, 4), panelBytes)));
  const rowBytes = f.local('i32', i32.shl(p.columns, 2));
  const firstBias = f.local('i32', i32.add(p.bias, i32.shl(column, 2)));
  f.while(i32.lt_u(row, end), () => {
    const height = f.local('i32', i32.min_u(i32.const(tiles.length), f.local('i32', i32.sub(end, row))));
    const a = f.local('i32', i32.add(p.a, i32.mul(row, p.aStride)));
    const x = f.local('i32', i32.add(p.x, i32.shl(i32.add(i32.mul(row, p.columns), column), 2)));
    const panels = f.local('i32', firstPanel);
    loop(
      f,
      0,
      width,
      (j) => {
        const [panel, dy] = [f.local('i32', panels), f.local('i32', tile)];
        loop(f, 0, units, () => {
          for (const [i, handle] of tiles.entries()) {
            f.if(i32.eq(height, i + 1), () =>
              f.do(call(handle, a, p.aStride, panel, p.steps, dy, i32.const(4 * PANEL), i32.const(0))),
            );
          }
          f.set(panel, i32.add(panel, p.groupPanels));
          f.set(dy, i32.add(dy, TILE_BYTES));
        });
        const at = f.local('i32', i32.shl(j, 2));
        const start = (address: Local<'i32'>) => f.local('i32', i32.add(address, at));
        const piece = {
          dy: tile,
          rowBytes,
          height,
          x: start(x),
          dx: start(dx),
          bias: start(firstBias),
          sums: start(unitSums),
        };
        const columns = f.local('i32', i32.sub(width, j));
        f.if(
          i32.ge_u(columns, PANEL),
          () => {
            for (let first = 0; first < PANEL / 4; first += vectors) {
              const bytes = Array.from({ length: vectors }, (_, i) => 16 * (first + i));
              passOn(
                f,
                piece,
                units,
                bytes.map((byte) => ({
                  load: (address) => v128.load(address, byte),
                  store: (address, value) => f.do(v128.store(address, value, byte)),
                })),
              );
            }
          },
          () =>
            vectorised(f, columns, (i, { load, store }) =>
              passOn(f, piece, units, [
                {
                  load: (address) => load(i32.add(address, i)),
                  store: (address, value) => store(i32.add(address, i), value),
                },
              ]),
            ),
        );
        f.set(panels, i32.add(panels, panelBytes));
      },
      PANEL,
    );
    const first = f.local('i32', i32.add(i32.mul(row, p.columns), column));
    const from = f.local('i32', dx);
    loop(f, 0, height, () => {
      f.do(call(sink, p.sink, first, from, width, f32.const(1)));
      f.set(first, i32.add(first, p.columns));
      f.set(from, i32.add(from, ROW_BYTES));
    });
    f.set(row, i32.add(row, height));
  });
}

/** The addresses of the first row of a tile of dY, and of what belongs to it. */
type Piece = Record<'dy' | 'height' | 'x' | 'rowBytes' | 'dx' | 'bias' | 'sums', Local<'i32'>>;

/** Computes dX for some vectors of the rows of a tile, and adds to the sums for the biases, which stay in registers. */
function passOn(
  f: FunctionBuilder,
  { dy, height, x, rowBytes, dx, bias, sums }: Piece,
  units: number,
  vectors: readonly Access[],
): void {
  const unitNumbers = Array.from({ length: units }, (_, t) => t);
  const biasOf = f.local('i32', bias);
  const biases = unitNumbers.map(() => {
    const loaded = vectors.map(({ load }) => f.local('v128', load(biasOf)));
    f.set(biasOf, i32.add(biasOf, rowBytes));
    return loaded;
  });
  const sumsOf = (t: number) => f.local('i32', i32.add(sums, t * ROW_BYTES));
  const totals = unitNumbers.map((t) => {
    const address = sumsOf(t);
    return vectors.map(({ load }) => f.local('v128', load(address)));
  });
  const [from, xRow, to] = [dy, x, dx].map((address) => f.local('i32', address));
  loop(f, 0, height, () => {
    const values = vectors.map(({ load }) => f.local('v128', load(xRow)));
    const negated = values.map((value) => f.local('v128', f32x4.neg(value)));
    const results = vectors.map(() => f.local('v128', ZERO));
    for (const t of unitNumbers) {
      const ofUnit = f.local('i32', i32.add(from, t * TILE_BYTES));
      const u = vectors.map(({ load }, i) => {
        const z = f32x4.add(t % 2 === 0 ? values[i] : negated[i], biases[t][i]);
        return f.local('v128', v128.and(load(ofUnit), f32x4.gt(z, ZERO)));
      });
      for (const [i, value] of u.entries()) f.set(totals[t][i], f32x4.add(totals[t][i], value));
      for (const [i, value] of u.entries()) {
        f.set(results[i], t % 2 === 0 ? f32x4.add(results[i], value) : f32x4.sub(results[i], value));
      }
    }
    for (const [i, { store }] of vectors.entries()) store(to, results[i]);
    f.set(from, i32.add(from, 4 * PANEL));
    f.set(xRow, i32.add(xRow, rowBytes));
    f.set(to, i32.add(to, ROW_BYTES));
  });
  for (const t of unitNumbers) {
    const address = sumsOf(t);
    for (const [i, { store }] of vectors.entries()) store(address, totals[t][i]);
  }
}

function clear(f: FunctionBuilder, address: Local<'i32'>, count: ReturnType<typeof i32.mul>): void {
  vectorised(f, count, (i, { store }) => store(i32.add(address, i), ZERO));
}
