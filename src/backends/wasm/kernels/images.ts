import { IMAGE_BYTES, IMAGE_SIDE, PLANE_BYTES } from '../../../images.ts';
import { sourceColumns } from '../../augmentation.ts';
import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { BASE, f32x4, type I32, i8x16, i16x8, i32, i32x4, select, type V128, v128 } from '../assembler/instructions.ts';
import { OFFSET } from '../jobs.ts';
import { kernel, loop } from './kernel.ts';
import { pixelRowBytes } from './products/pack-pixels.ts';

/** Bytes of the column table: for each flip and horizontal shift, the source column of each column. */
export const COLUMN_TABLE_BYTES = 2 * 64 * IMAGE_SIDE;

/** columns[flip][shiftX + 32], for shiftX from −31 to 31. */
export function columnTable(): Uint8Array {
  const table = new Uint8Array(COLUMN_TABLE_BYTES);
  for (const flip of [0, 1]) {
    for (let shiftX = 1 - IMAGE_SIDE; shiftX < IMAGE_SIDE; shiftX++) {
      table.set(sourceColumns(flip === 1, shiftX), (flip * 64 + shiftX + 32) * IMAGE_SIDE);
    }
  }
  return table;
}

export const LOAD_IMAGES_PER_TASK = 8;
/** Bytes of a cache line: two rows. */
const LINE_BYTES = 64;

/** Gathers the planned images, flipped and shifted, as bytes p − 128 (`asPixels`) or as floats (p − 128)/64, and their
 *  labels. */
export const loadBatch = kernel(
  {
    images: 'i32',
    labels: 'i32',
    indices: 'i32',
    flip: 'i32',
    shiftX: 'i32',
    shiftY: 'i32',
    table: 'i32',
    target: 'i32',
    targetLabels: 'i32',
    asPixels: 'i32',
    count: 'i32',
  },
  (f, p, { task }) => {
    const first = f.local('i32', i32.mul(task, LOAD_IMAGES_PER_TASK));
    const end = i32.min_u(p.count, f.local('i32', i32.add(first, LOAD_IMAGES_PER_TASK)));
    prefetchImages(f, p, first);
    loop(f, first, end, (b) => loadImage(f, p, b));
  },
);

type LoadLocals = Readonly<Record<string, Local<'i32'>>>;

/** Reads the images of a task into the cache, side by side and line by line: they are far apart in memory, and the processor
 *  fetches ahead in all of them at once. One after the other would take twice as long. */
function prefetchImages(f: FunctionBuilder, p: LoadLocals, first: Local<'i32'>): void {
  const last = f.local('i32', i32.sub(p.count, 1));
  const images = Array.from({ length: LOAD_IMAGES_PER_TASK }, (_, i) => {
    const b = f.local('i32', i32.min_u(f.local('i32', i32.add(first, i)), last));
    return f.local('i32', i32.add(p.images, i32.mul(indexOf(p, b), IMAGE_BYTES)));
  });
  const read = f.local('i32', i32.const(0));
  loop(
    f,
    0,
    IMAGE_BYTES,
    (line) => {
      for (const image of images) f.set(read, i32.xor(read, i32.load(i32.add(image, line))));
    },
    LINE_BYTES,
  );
  // What was read must be used, or the compiler would leave the loads out.
  f.do(i32.store(BASE, read, OFFSET.discard));
}

function indexOf(p: LoadLocals, b: Local<'i32'>) {
  return i32.load(i32.add(p.indices, i32.shl(b, 2)));
}

type Row = readonly [left: Local<'v128'>, right: Local<'v128'>];

/** Loads image b of the batch. */
function loadImage(f: FunctionBuilder, p: LoadLocals, b: Local<'i32'>): void {
  const index = f.local('i32', indexOf(p, b));
  f.do(i32.store8(i32.add(p.targetLabels, b), i32.load8_u(i32.add(p.labels, index))));
  const image = f.local('i32', i32.add(p.images, i32.mul(index, IMAGE_BYTES)));
  const flip = f.local('i32', i32.load8_u(i32.add(p.flip, b)));
  const shiftX = f.local('i32', i32.load8_s(i32.add(p.shiftX, b)));
  const shiftY = f.local('i32', i32.load8_s(i32.add(p.shiftY, b)));
  const size = select(i32.const(pixelRowBytes(IMAGE_BYTES)), i32.const(4 * IMAGE_BYTES), p.asPixels);
  const to = f.local('i32', i32.add(p.target, i32.mul(b, size)));
  const sourcesOf = (flipped: I32, shift: Local<'i32'>) =>
    f.local('i32', i32.add(p.table, i32.shl(i32.add(i32.shl(flipped, 6), i32.add(shift, 32)), 5)));

  f.if(
    i32.or(shiftX, shiftY),
    () => {
      // Rows are shifted as columns are that are not flipped.
      loadShifted(f, p, { image, to, rows: sourcesOf(0, shiftY), columns: sourcesOf(flip, shiftX) });
    },
    () => {
      const backwards = Array.from({ length: 16 }, (_, i) => 15 - i);
      const mirrored = (half: V128) => f.local('v128', i8x16.shuffle(half, half, backwards));
      f.if(
        flip,
        () => loadUnshifted(f, p, { image, to }, ([left, right]) => [mirrored(right), mirrored(left)]),
        () => loadUnshifted(f, p, { image, to }, (row) => row),
      );
    },
  );
}

/** Loads an image two rows at a time: a cache line. @param rearrange what to do with each row. */
function loadUnshifted(
  f: FunctionBuilder,
  p: LoadLocals,
  { image, to }: Record<'image' | 'to', Local<'i32'>>,
  rearrange: (row: Row) => Row,
): void {
  const store = (from: Local<'i32'>) =>
    storeRows(f, p, to, [rearrange(loadRow(f, from)), rearrange(loadRow(f, from, IMAGE_SIDE))]);
  loop(f, image, i32.add(image, IMAGE_BYTES), store, 2 * IMAGE_SIDE);
}

/** Loads an image whose rows and columns come from the source's rows and columns at two addresses. */
function loadShifted(
  f: FunctionBuilder,
  p: LoadLocals,
  { image, to, rows, columns }: Record<'image' | 'to' | 'rows' | 'columns', Local<'i32'>>,
): void {
  const gather = gatherer(f, columns);
  const loadPlane = (plane: Local<'i32'>) => {
    const load = (row: I32) => gather(loadRow(f, f.local('i32', i32.add(plane, i32.shl(row, 5)))));
    const store = (y: Local<'i32'>) => storeRows(f, p, to, [load(i32.load8_u(y)), load(i32.load8_u(y, 1))]);
    loop(f, rows, i32.add(rows, IMAGE_SIDE), store, 2);
  };
  loop(f, image, i32.add(image, IMAGE_BYTES), loadPlane, PLANE_BYTES);
}

/** Loads the 32 bytes p − 128 of one row. */
function loadRow(f: FunctionBuilder, from: Local<'i32'>, offset = 0): Row {
  const half = (at: number) => f.local('v128', v128.xor(v128.load(from, offset + at), i8x16.splat(128)));
  return [half(0), half(16)];
}

/** Returns a function that rearranges a row by the 32 column indices at an address. A swizzle gives 0 for an index beyond
 *  its 16 bytes, so the results for the two halves of the row can be or-ed. */
function gatherer(f: FunctionBuilder, columns: Local<'i32'>) {
  const halves = [0, 16].map((offset) => {
    const low = f.local('v128', v128.load(columns, offset));
    return { low, high: f.local('v128', i8x16.sub(low, i8x16.splat(16))) };
  });
  return ([left, right]: Row): Row => {
    const half = ({ low, high }: (typeof halves)[number]) =>
      f.local('v128', v128.or(i8x16.swizzle(left, low), i8x16.swizzle(right, high)));
    return [half(halves[0]), half(halves[1])];
  };
}

/** Stores rows as bytes or as floats, and advances `to` past them. */
function storeRows(f: FunctionBuilder, { asPixels }: LoadLocals, to: Local<'i32'>, rows: readonly Row[]): void {
  const halves = rows.flat();
  f.if(
    asPixels,
    () => {
      for (const [i, bytes] of halves.entries()) f.do(v128.store(to, bytes, 16 * i));
      f.set(to, i32.add(to, 16 * halves.length));
    },
    () => {
      for (const [i, bytes] of halves.entries()) {
        for (const [quarter, numbers] of widened(bytes).entries()) {
          const values = f32x4.mul(f32x4.convert_i32x4_s(numbers), f32x4.splat(1 / 64));
          f.do(v128.store(to, values, 64 * i + 16 * quarter));
        }
      }
      f.set(to, i32.add(to, 64 * halves.length));
    },
  );
}

/** Sign-extends 16 bytes to four vectors of four integers. */
function widened(bytes: V128): V128[] {
  return [i16x8.extend_low_i8x16_s(bytes), i16x8.extend_high_i8x16_s(bytes)].flatMap((eight) => [
    i32x4.extend_low_i16x8_s(eight),
    i32x4.extend_high_i16x8_s(eight),
  ]);
}
