import { CHANNELS, IMAGE_SIDE } from '../../../images.ts';
import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { i8x16, i32, i64, i64x2, v128 } from '../assembler/instructions.ts';
import { kernel, loop } from './kernel.ts';
import { lanes32 } from './products/transpose.ts';

export const CROP_IMAGES_PER_TASK = 8;

/** Copies the receptive fields of each image, as specified by Backend.crop. All lengths are in bytes but `size`, the rows of a
 *  field. The fields of an image begin at the multiples of `step` up to `last`, in both directions. For those of the mirror
 *  image, `mirrored` is the size of a number, else 0. */
export const crop = kernel(
  {
    images: 'i32',
    imageBytes: 'i32',
    imageRow: 'i32',
    target: 'i32',
    targetBytes: 'i32',
    count: 'i32',
    size: 'i32',
    fieldRow: 'i32',
    step: 'i32',
    last: 'i32',
    mirrored: 'i32',
  },
  (f, p, { task }) => {
    const first = f.local('i32', i32.mul(task, CROP_IMAGES_PER_TASK));
    const end = i32.min_u(p.count, f.local('i32', i32.add(first, CROP_IMAGES_PER_TASK)));
    loop(f, first, end, (b) => {
      const image = f.local('i32', i32.add(p.images, i32.mul(b, p.imageBytes)));
      const to = f.local('i32', i32.add(p.target, i32.mul(b, p.targetBytes)));
      eachStart(f, p, (y) => {
        eachStart(f, p, (x) => {
          const left = f.local('i32', x);
          f.if(p.mirrored, () => f.set(left, i32.sub(p.last, x)));
          // The rows of an image are 32 pixels apart, so y, in bytes of a row, times 32 is the distance of row y.
          const corner = f.local('i32', i32.add(image, i32.add(i32.mul(y, IMAGE_SIDE), left)));
          loop(f, 0, CHANNELS, (plane) => {
            const from = f.local('i32', i32.add(corner, i32.mul(plane, i32.mul(p.imageRow, IMAGE_SIDE))));
            f.if(
              i32.eq(p.fieldRow, 8),
              () => copyWords(f, { from, to, size: p.size, mirrored: p.mirrored }),
              () => copyRows(f, { from, to, ...p }),
            );
          });
        });
      });
    });
  },
);

/** Copies a plane of a field, row by row, and moves `to` past it. */
function copyRows(
  f: FunctionBuilder,
  {
    from,
    to,
    size,
    imageRow,
    fieldRow,
    mirrored,
  }: Record<'from' | 'to' | 'size' | 'imageRow' | 'fieldRow' | 'mirrored', Local<'i32'>>,
): void {
  loop(f, 0, size, () => {
    const row = { from, to, bytes: fieldRow };
    f.if(
      mirrored,
      () => copyMirrored(f, row, mirrored),
      () => copy(f, row),
    );
    f.set(from, i32.add(from, imageRow));
    f.set(to, i32.add(to, fieldRow));
  });
}

/** The same for rows of eight bytes, of which there are a multiple of four. */
function copyWords(
  f: FunctionBuilder,
  { from, to, size, mirrored }: Record<'from' | 'to' | 'size' | 'mirrored', Local<'i32'>>,
): void {
  const rows = [0, 1, 2, 3];
  loop(
    f,
    0,
    size,
    () => {
      f.if(
        mirrored,
        () => {
          for (const row of rows) {
            const word = v128.load64_zero(from, row * IMAGE_SIDE);
            f.do(i64.store(to, i64x2.extract_lane(i8x16.swizzle(word, REVERSED_WORD), 0), 8 * row));
          }
        },
        () => {
          for (const row of rows) f.do(i64.store(to, i64.load(from, row * IMAGE_SIDE), 8 * row));
        },
      );
      f.set(from, i32.add(from, 4 * IMAGE_SIDE));
      f.set(to, i32.add(to, 4 * 8));
    },
    4,
  );
}

/** for (start = 0; start <= last; start += step) */
function eachStart(
  f: FunctionBuilder,
  { step, last }: Record<'step' | 'last', Local<'i32'>>,
  body: (start: Local<'i32'>) => void,
): void {
  const start = f.local('i32', i32.const(0));
  f.while(i32.ge_u(last, start), () => {
    body(start);
    f.set(start, i32.add(start, step));
  });
}

const REVERSED_WORD = v128.const(Uint8Array.of(7, 6, 5, 4, 3, 2, 1, 0, ...Array(8).fill(255)));

type Row = Record<'from' | 'to' | 'bytes', Local<'i32'>>;

/** Copies a multiple of 4 bytes. */
function copy(f: FunctionBuilder, { from, to, bytes }: Row): void {
  const at = f.local('i32', i32.const(0));
  f.while(i32.ge_u(bytes, i32.add(at, 16)), () => {
    f.do(v128.store(i32.add(to, at), v128.load(i32.add(from, at))));
    f.set(at, i32.add(at, 16));
  });
  f.while(i32.lt_u(at, bytes), () => {
    f.do(i32.store(i32.add(to, at), i32.load(i32.add(from, at))));
    f.set(at, i32.add(at, 4));
  });
}

/** Copies a multiple of 4 bytes, with the numbers in reverse order; a number has 1 or 4 bytes. */
function copyMirrored(f: FunctionBuilder, { from, to, bytes }: Row, numberBytes: Local<'i32'>): void {
  const end = f.local('i32', i32.add(from, bytes));
  const left = f.local('i32', bytes);
  const at = f.local('i32', to);
  const vector = f.local('v128');
  const reverse = (lanes: number[]) => f.set(vector, i8x16.shuffle(vector, vector, lanes));
  f.while(i32.ge_u(left, 16), () => {
    f.set(end, i32.sub(end, 16));
    f.set(vector, v128.load(end));
    f.if(
      i32.eq(numberBytes, 1),
      () => reverse(Array.from({ length: 16 }, (_, i) => 15 - i)),
      () => reverse(lanes32(3, 2, 1, 0)),
    );
    f.do(v128.store(at, vector));
    f.set(at, i32.add(at, 16));
    f.set(left, i32.sub(left, 16));
  });
  // Only rows of bytes have less than a vector left.
  f.while(left, () => {
    f.set(end, i32.sub(end, 4));
    f.set(vector, v128.load32_zero(end));
    reverse([3, 2, 1, 0, ...Array(12).fill(0)]);
    f.do(v128.store32_lane(at, vector, 0));
    f.set(at, i32.add(at, 4));
    f.set(left, i32.sub(left, 4));
  });
}
