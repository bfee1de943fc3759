import { IMAGE_BYTES, IMAGE_SIDE } from '../../../images.ts';
import { sourceColumns } from '../../augmentation.ts';
import type { Expr, FunctionBuilder, Local } from '../assembler/assembler.ts';
import { f32x4, i8x16, i16x8, i32, i32x4, select, type V128, v128 } from '../assembler/instructions.ts';
import { ADDRESS } from '../jobs.ts';
import { kernel, loop } from './kernel.ts';
import { pixelRowBytes } from './products/pack.ts';

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
    const prefetched = f.local('i32');
    const last = f.local('i32', i32.sub(p.count, 1));
    loop(f, first, end, (b) =>
      loadImage(f, p, { b, next: i32.min_u(f.local('i32', i32.add(b, 1)), last), prefetched }),
    );
    // The prefetched words must be used, or the compiler would remove the loads.
    f.do(i32.store(i32.const(ADDRESS.discard), prefetched));
  },
);

type LoadLocals = Readonly<Record<string, Local<'i32'>>>;

/** Loads image b of the batch. Consecutive images of a batch are far apart in memory, so it also prefetches the next image
 *  into the cache, row by row. */
function loadImage(
  f: FunctionBuilder,
  p: LoadLocals,
  { b, next, prefetched }: { b: Local<'i32'>; next: Expr<'i32'>; prefetched: Local<'i32'> },
): void {
  const indexOf = (row: Expr<'i32'>) => i32.load(i32.add(p.indices, i32.shl(row, 2)));
  const index = f.local('i32', indexOf(b));
  const nextRow = f.local('i32', i32.add(p.images, i32.mul(indexOf(next), IMAGE_BYTES)));
  const prefetchRow = () => {
    f.set(prefetched, i32.xor(prefetched, i32.load(nextRow)));
    f.set(nextRow, i32.add(nextRow, IMAGE_SIDE));
  };
  f.do(i32.store8(i32.add(p.targetLabels, b), i32.load8_u(i32.add(p.labels, index))));
  const image = f.local('i32', i32.add(p.images, i32.mul(index, IMAGE_BYTES)));
  const flip = f.local('i32', i32.load8_u(i32.add(p.flip, b)));
  const shiftX = f.local('i32', i32.load8_s(i32.add(p.shiftX, b)));
  const shiftY = f.local('i32', i32.load8_s(i32.add(p.shiftY, b)));
  const size = select(i32.const(pixelRowBytes(IMAGE_BYTES)), i32.const(4 * IMAGE_BYTES), p.asPixels);
  const to = f.local('i32', i32.add(p.target, i32.mul(b, size)));

  f.if(
    i32.or(shiftX, shiftY),
    () => {
      const columns = i32.shl(i32.add(i32.shl(flip, 6), i32.add(shiftX, 32)), 5);
      const gather = gatherer(f, f.local('i32', i32.add(p.table, columns)));
      loop(f, 0, 3, (plane) => {
        loop(f, 0, IMAGE_SIDE, (y) => {
          prefetchRow();
          const row = f.local('i32', i32.sub(y, shiftY));
          f.if(i32.lt_s(row, 0), () => f.set(row, i32.sub(0, row)));
          f.if(i32.ge_u(row, IMAGE_SIDE), () => f.set(row, i32.sub(2 * (IMAGE_SIDE - 1), row)));
          const from = i32.add(image, i32.shl(i32.add(i32.shl(plane, 5), row), 5));
          storeRow(f, p, to, gather(loadRow(f, f.local('i32', from))));
        });
      });
    },
    () => {
      const backwards = Array.from({ length: 16 }, (_, i) => 15 - i);
      loop(
        f,
        image,
        i32.add(image, IMAGE_BYTES),
        (from) => {
          prefetchRow();
          const [left, right] = loadRow(f, from);
          f.if(flip, () => {
            const last = f.local('v128', left);
            f.set(left, i8x16.shuffle(right, right, backwards));
            f.set(right, i8x16.shuffle(last, last, backwards));
          });
          storeRow(f, p, to, [left, right]);
        },
        IMAGE_SIDE,
      );
    },
  );
}

/** Loads the 32 bytes p − 128 of one row. */
function loadRow(f: FunctionBuilder, from: Local<'i32'>): [left: Local<'v128'>, right: Local<'v128'>] {
  const middle = () => i8x16.splat(128);
  return [
    f.local('v128', v128.xor(v128.load(from), middle())),
    f.local('v128', v128.xor(v128.load(from, 16), middle())),
  ];
}

/** Returns a function that rearranges a row by the 32 column indices at an address. A swizzle gives 0 for an index beyond
 *  its 16 bytes, so the results for the two halves of the row can be or-ed. */
function gatherer(f: FunctionBuilder, columns: Local<'i32'>) {
  const halves = [0, 16].map((offset) => {
    const low = f.local('v128', v128.load(columns, offset));
    return { low, high: f.local('v128', i8x16.sub(low, i8x16.splat(16))) };
  });
  return ([left, right]: readonly Local<'v128'>[]) =>
    halves.map(({ low, high }) => f.local('v128', v128.or(i8x16.swizzle(left, low), i8x16.swizzle(right, high))));
}

/** Stores a row as bytes or as floats, and advances `to` past it. */
function storeRow(f: FunctionBuilder, { asPixels }: LoadLocals, to: Local<'i32'>, row: readonly Local<'v128'>[]): void {
  f.if(
    asPixels,
    () => {
      for (const [half, bytes] of row.entries()) f.do(v128.store(to, bytes, 16 * half));
      f.set(to, i32.add(to, IMAGE_SIDE));
    },
    () => {
      for (const [half, bytes] of row.entries()) {
        for (const [quarter, numbers] of widened(bytes).entries()) {
          const values = f32x4.mul(f32x4.convert_i32x4_s(numbers), f32x4.splat(1 / 64));
          f.do(v128.store(to, values, 64 * half + 16 * quarter));
        }
      }
      f.set(to, i32.add(to, 4 * IMAGE_SIDE));
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
