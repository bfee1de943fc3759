import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../../assembler/assembler.ts';
import { call, f32, f32x4, i32, v128 } from '../../assembler/instructions.ts';
import { kernel, loop, type SharedFunctions, vectorised } from '../kernel.ts';
import { mirrorBlock } from './block.ts';
import { tileColumn } from './multiply.ts';
import { PANEL, STEP_BYTES } from './tile.ts';

// Many small Newton–Schulz iterations: all matrices of one stay in the cache of the thread that computes it.

/** The largest matrix of which a thread has all that it needs in its L2 cache. */
export const NEWTON_SCHULZ_MAX_SIZE = 96;
/** Bytes of a matrix in the memory of a thread: rows of whole panels, and as many rows. */
const matrixBytes = (size: number) => 4 * (Math.ceil(size / PANEL) * PANEL) ** 2;
/** G, two of Z, Q, one more factor, and a panel of a product. */
const MATRICES = ['gram', 'root', 'spare', 'polynomial', 'factor', 'panel'] as const;

/** Bytes of memory per thread. */
export function newtonSchulzBytes(size: number): number {
  return MATRICES.length * matrixBytes(size);
}

/** `steps` steps of Backend.newtonSchulz with the coefficients a, b and c, from G and Z, the matrices of `gram` and `root`; the
 *  result replaces Z. A task computes one matrix, with the operations of newtonSchulzByProducts in the same order. */
export const newtonSchulz = kernel(
  {
    gram: 'i32',
    root: 'i32',
    size: 'i32',
    a: 'f32',
    b: 'f32',
    c: 'f32',
    steps: 'i32',
    memory: 'i32',
    isWide: 'i32',
  },
  (f, p, { task, thread, shared }) => {
    const rowBytes = f.local('i32', i32.shl(i32.and(i32.add(p.size, PANEL - 1), -PANEL), 2));
    const bytes = f.local('i32', i32.shr_u(i32.mul(rowBytes, rowBytes), 2));
    const memory = i32.add(p.memory, i32.mul(thread, i32.mul(bytes, MATRICES.length)));
    const [gram, root, spare, polynomial, factor, panel] = MATRICES.map((_, i) =>
      f.local('i32', i32.add(memory, i32.mul(bytes, i))),
    );
    const offset = f.local('i32', i32.mul(task, i32.shl(i32.mul(p.size, p.size), 2)));
    const source = (address: Local<'i32'>) => f.local('i32', i32.add(address, offset));
    const matrix = { size: p.size, rowBytes };
    const sizeBytes = f.local('i32', i32.shl(p.size, 2));
    const rootRows = { address: source(p.root), bytes: sizeBytes };
    copyRows(f, p.size, { address: source(p.gram), bytes: sizeBytes }, { address: gram, bytes: rowBytes });
    copyRows(f, p.size, rootRows, { address: root, bytes: rowBytes });
    const multiply = (left: Local<'i32'>, right: Local<'i32'>, target: Local<'i32'>) =>
      f.do(call(shared.symmetricProduct, left, right, target, p.size, rowBytes, panel, p.isWide));

    const left = f.local('i32', p.steps);
    f.while(left, () => {
      f.set(left, i32.sub(left, 1));
      scale(f, matrix, { from: gram, to: factor, by: p.c });
      addToDiagonal(f, matrix, factor, p.b);
      multiply(gram, factor, polynomial);
      addToDiagonal(f, matrix, polynomial, p.a);
      multiply(polynomial, root, spare);
      const last = f.local('i32', root);
      f.set(root, spare);
      f.set(spare, last);
      f.if(left, () => {
        multiply(polynomial, gram, factor);
        multiply(factor, polynomial, gram);
      });
    });
    copyRows(f, p.size, { address: root, bytes: rowBytes }, rootRows);
  },
);

/** Adds the function (A, B, C, size, bytes of a row, memory for a panel, whether tiles are wide): C = A B, of square matrices whose
 *  product is symmetric. The sums are those of `multiply`. */
export function addSymmetricProduct(module: ModuleBuilder, { float }: SharedFunctions['tiles']): FunctionHandle {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  return module.function(types, (f, a, b, c, size, rowBytes, panel, isWide) => {
    const zero = f.local('i32', i32.const(0));
    loop(
      f,
      0,
      size,
      (column) => {
        const at = f.local('i32', i32.shl(column, 2));
        packPanel(f, { from: f.local('i32', i32.add(b, at)), rowBytes, size, to: panel });
        // What is below the diagonal is copied.
        const rows = f.local('i32', i32.min_u(size, f.local('i32', i32.add(column, PANEL))));
        const tile = () => ({
          ...{ a: f.local('i32', a), aStride: rowBytes, panel, steps: size },
          ...{ c: f.local('i32', i32.add(c, at)), rowBytes, adds: zero },
        });
        f.if(
          isWide,
          () => tileColumn(f, rows, tile(), float.wide),
          () => tileColumn(f, rows, tile(), float.narrow),
        );
      },
      PANEL,
    );
    mirrorBlock(f, { height: size, sums: c, rowBytes });
  });
}

function packPanel(
  f: FunctionBuilder,
  { from, rowBytes, size, to }: Record<'from' | 'rowBytes' | 'size' | 'to', Local<'i32'>>,
): void {
  const [row, panel] = [f.local('i32', from), f.local('i32', to)];
  loop(f, 0, size, () => {
    const vectors = [0, 16, 32, 48].map((byte) => f.local('v128', v128.load(row, byte)));
    for (const [i, vector] of vectors.entries()) f.do(v128.store(panel, vector, 16 * i));
    f.set(row, i32.add(row, rowBytes));
    f.set(panel, i32.add(panel, STEP_BYTES));
  });
}

type Matrix = Record<'size' | 'rowBytes', Local<'i32'>>;

/** Runs `body` for each vector of a matrix with padded rows, with its offset. */
function eachVector(f: FunctionBuilder, { size, rowBytes }: Matrix, body: (offset: Local<'i32'>) => void): void {
  loop(f, 0, i32.mul(size, rowBytes), body, 16);
}

function scale(
  f: FunctionBuilder,
  matrix: Matrix,
  { from, to, by }: { from: Local<'i32'>; to: Local<'i32'>; by: Local<'f32'> },
): void {
  const factor = f.local('v128', f32x4.splat(by));
  eachVector(f, matrix, (i) => f.do(v128.store(i32.add(to, i), f32x4.mul(v128.load(i32.add(from, i)), factor))));
}

function addToDiagonal(
  f: FunctionBuilder,
  { size, rowBytes }: Matrix,
  address: Local<'i32'>,
  value: Local<'f32'>,
): void {
  const at = f.local('i32', address);
  loop(f, 0, size, () => {
    f.do(f32.store(at, f32.add(f32.load(at), value)));
    f.set(at, i32.add(at, i32.add(rowBytes, 4)));
  });
}

/** Rows of a matrix, `bytes` apart. */
type Rows = Record<'address' | 'bytes', Local<'i32'>>;

function copyRows(f: FunctionBuilder, size: Local<'i32'>, source: Rows, target: Rows): void {
  const [from, to] = [f.local('i32', source.address), f.local('i32', target.address)];
  loop(f, 0, size, () => {
    vectorised(f, size, (i, { load, store }) => store(i32.add(to, i), load(i32.add(from, i))));
    f.set(from, i32.add(from, source.bytes));
    f.set(to, i32.add(to, target.bytes));
  });
}
