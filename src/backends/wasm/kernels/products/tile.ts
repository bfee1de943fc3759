import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../../assembler/assembler.ts';
import { f32x4, i32, i32x4, type V128, v128 } from '../../assembler/instructions.ts';
import { type SharedFunctions, type Tiles, ZERO } from '../kernel.ts';

// The innermost loop of every product. A tile is a few rows of the result by the 16 columns of a panel; its sums stay in
// registers while k runs over a block:
//
//     C[r][j] (+)= Σ_k A[r][k] · P[k][j]        r < rows, j < 16
//
// A is stored by rows; P, a *panel*, holds its 16 columns side by side for each k. A step of k is 4 bytes of A and 64 bytes
// of P in any arithmetic: one float32 and 16 float32, one pair of int16 and 16 pairs, or four bytes and 16 times four.
//
// In int8, A holds q + 64, because the instruction takes only 7 bits without a sign there. Σ (q + 64) p − 64 Σ p is the sum that
// is wanted. Behind each block of k, a panel holds its −64 Σ p, with which the sums start.
//
// A *wide* tile computes all four vectors of a row at once, which V8 can fuse to two of 256 bits. Otherwise they do not fit
// in the 16 registers, and the *narrow* tile computes two vectors, then the other two. Both add in the same order.

/** Columns of a panel. */
export const PANEL = 16;
const VECTORS = PANEL / 4;
/** Bytes of a panel per step of k. */
export const STEP_BYTES = 64;

/** Steps of k of float panels whose sums are added up in registers: those that fit in the L1 cache. */
export const FLOAT_BLOCK = 256;

export type Arithmetic = 'float32' | 'float32-fma' | 'int16' | 'int8';

/** The numbers that tell a kernel which tiles to use. */
export const TILES = { float: 0, int16: 1, int8: 2 } as const satisfies Record<keyof SharedFunctions['tiles'], number>;

/** What is added to each q in int8. */
export const INT8_OFFSET = 64;

/** The largest number of rows whose sums V8 keeps in registers: with one more, it spills. */
const MAX_ROWS: Record<Arithmetic, { readonly wide: number; readonly narrow: number }> = {
  float32: { wide: 5, narrow: 4 },
  'float32-fma': { wide: 6, narrow: 4 },
  int16: { wide: 5, narrow: 5 },
  int8: { wide: 5, narrow: 5 },
};

/** The largest number of rows of any tile. */
export const MAX_TILE_ROWS = Math.max(...Object.values(MAX_ROWS).flatMap(({ wide, narrow }) => [wide, narrow]));

/** Writes code for each kind of tiles that the engine has, to be run for the kind that `tiles` and `isWide` say. */
export function chooseTiles(
  f: FunctionBuilder,
  { tiles, isWide }: Record<'tiles' | 'isWide', Local<'i32'>>,
  kinds: SharedFunctions['tiles'],
  write: (tiles: readonly FunctionHandle[]) => void,
): void {
  for (const [name, { wide, narrow }] of Object.entries(kinds)) {
    f.if(i32.eq(tiles, TILES[name as keyof typeof TILES]), () =>
      f.if(
        isWide,
        () => write(wide),
        () => write(narrow),
      ),
    );
  }
}

export function tileRows(arithmetic: Arithmetic, isWide: boolean): number {
  return MAX_ROWS[arithmetic][isWide ? 'wide' : 'narrow'];
}

export function addTiles(module: ModuleBuilder, arithmetic: Arithmetic): Tiles {
  const tilesUpTo = (maxRows: number, vectors: number) =>
    Array.from({ length: maxRows }, (_, i) => addTile(module, i + 1, vectors, arithmetic));
  const { wide, narrow } = MAX_ROWS[arithmetic];
  return { wide: tilesUpTo(wide, VECTORS), narrow: tilesUpTo(narrow, VECTORS / 2) };
}

/** Adds the function (A, bytes between its rows, panel, steps of k, C, bytes between its rows, 1 to add to C, 0 to overwrite). */
function addTile(module: ModuleBuilder, rows: number, vectors: number, arithmetic: Arithmetic): FunctionHandle {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  return module.function(types, (f, a, aStride, panel, steps, c, cStride, adds) => {
    for (let first = 0; first < VECTORS; first += vectors) {
      const columns = Array.from({ length: vectors }, (_, j) => 16 * (first + j));
      writeTile(f, { rows, columns, arithmetic, a, aStride, panel, steps, c, cStride, adds });
    }
  });
}

interface Tile extends Record<'a' | 'aStride' | 'panel' | 'steps' | 'c' | 'cStride' | 'adds', Local<'i32'>> {
  readonly rows: number;
  /** Byte offsets of the vectors, in a step of the panel and in a row of C. */
  readonly columns: readonly number[];
  readonly arithmetic: Arithmetic;
  /** Bytes from one step of the panel to the next. */
  readonly stepBytes?: Local<'i32'>;
  /** What to multiply by, for a vector of the panel and its number; by default, itself. */
  factor?(vector: V128, column: number): V128;
}

/** Writes the code of a tile. */
export function writeTile(f: FunctionBuilder, tile: Tile): void {
  const { rows, columns, arithmetic, a, aStride, panel, steps, adds } = tile;
  const { stepBytes = STEP_BYTES, factor = (vector) => vector } = tile;
  const row = Array.from({ length: rows }, (_, r) => f.local('i32', i32.add(a, i32.mul(aStride, r))));
  const p = f.local('i32', panel);
  const end = f.local('i32', i32.add(panel, i32.mul(steps, stepBytes)));
  const start = columns.map((column) => f.local('v128', arithmetic === 'int8' ? v128.load(end, column) : ZERO));
  const sums = row.map(() => start.map((value) => f.local('v128', value)));
  const x = f.local('v128');
  const ys = columns.map(() => f.local('v128'));
  f.while(i32.lt_u(p, end), () => {
    for (const [j, y] of ys.entries()) f.set(y, factor(v128.load(p, columns[j]), j));
    // In descending order, because the compiler of Node 20 and 22 runs out of registers in ascending order.
    for (let r = rows - 1; r >= 0; r--) {
      f.set(x, v128.load32_splat(row[r]));
      f.set(row[r], i32.add(row[r], 4));
      for (const [j, y] of ys.entries()) f.set(sums[r][j], multiplyAdd(arithmetic, x, y, sums[r][j]));
    }
    f.set(p, i32.add(p, stepBytes));
  });
  const isInteger = arithmetic === 'int16' || arithmetic === 'int8';
  const total = (sum: V128) => (isInteger ? f32x4.convert_i32x4_s(sum) : sum);
  f.if(
    adds,
    () => storeRows(f, tile, (sum, old) => f32x4.add(old, total(sum)), sums),
    () => storeRows(f, tile, (sum) => total(sum), sums),
  );
}

function storeRows(
  f: FunctionBuilder,
  { columns, c, cStride }: Tile,
  value: (sum: V128, old: V128) => V128,
  sums: readonly (readonly V128[])[],
): void {
  const to = f.local('i32', c);
  for (const row of sums) {
    // All loads of a row before its stores; otherwise V8 does not fuse the vectors.
    const results = row.map((sum, j) => f.local('v128', value(sum, v128.load(to, columns[j]))));
    for (const [j, result] of results.entries()) f.do(v128.store(to, result, columns[j]));
    f.set(to, i32.add(to, cStride));
  }
}

function multiplyAdd(arithmetic: Arithmetic, a: V128, b: V128, sum: V128): V128 {
  switch (arithmetic) {
    case 'float32':
      return f32x4.add(sum, f32x4.mul(a, b));
    case 'float32-fma':
      return f32x4.relaxed_madd(a, b, sum);
    case 'int16':
      return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
    case 'int8':
      return i32x4.relaxed_dot_i8x16_i7x16_add_s(b, a, sum);
  }
}
