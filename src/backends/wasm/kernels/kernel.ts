import type { Expr, FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../assembler/assembler.ts';
import { f32, i32, i32x4, v128 } from '../assembler/instructions.ts';

/** The parameters of a kernel, by name; addresses and counts are i32. */
export type Parameters = Readonly<Record<string, 'i32' | 'f32'>>;
export type Arguments<P extends Parameters> = { readonly [Name in keyof P]: number };
type Locals<P extends Parameters> = { readonly [Name in keyof P]: Local<P[Name]> };

export interface KernelContext {
  /** The number of the task to do, and of the thread it runs on. */
  readonly task: Local<'i32'>;
  readonly thread: Local<'i32'>;
  /** Functions that several kernels call. */
  readonly shared: SharedFunctions;
}

/** The tile functions of 1, 2, … rows. */
export interface Tiles {
  readonly wide: readonly FunctionHandle[];
  readonly narrow: readonly FunctionHandle[];
}

/** The tile functions of 1, 2, … rows that compute the units they multiply by: of 16 columns, four vectors at once or two and
 *  two, and of four columns. */
export interface UnitTiles extends Tiles {
  readonly single: readonly FunctionHandle[];
}

export interface SharedFunctions {
  /** (sink, first element, gradient, count, scale): sends `count` floats at the address `gradient`, times `scale`, to a
   *  sink; see sink.ts. */
  readonly sink: FunctionHandle;
  /** The tiles of each arithmetic that the engine has; see tile.ts. */
  readonly tiles: { readonly float: Tiles; readonly int16: Tiles; readonly int8?: Tiles };
  /** For units max(0, x + b) and max(0, b − x); see by-units.ts. */
  readonly unitTiles: { readonly plus: UnitTiles; readonly minus: UnitTiles };
  /** The product of square matrices that is symmetric; see newton-schulz.ts. */
  readonly symmetricProduct: FunctionHandle;
  /** (layout, source, bytes between its rows, its rows, its columns, first column, end of the columns, panels, bytes of a
   *  panel): packs columns into panels; see pack.ts. */
  readonly pack: FunctionHandle;
}

/** One piece of parallel work, as a function of the task number. Tasks are independent, so the result does not depend on
 *  the number of threads or on which thread does which task. */
export interface Kernel<P extends Parameters = Parameters> {
  readonly parameters: P;
  write(f: FunctionBuilder, parameters: Locals<P>, context: KernelContext): void;
}

export function kernel<const P extends Parameters>(parameters: P, write: Kernel<P>['write']): Kernel<P> {
  return { parameters, write };
}

/** Adds a kernel to the module as a function (task, arguments, thread), where `arguments` is the address of consecutive
 *  32-bit arguments, and returns its index. */
export function addKernel(module: ModuleBuilder, { parameters, write }: Kernel, shared: SharedFunctions): number {
  const handle = module.function(['i32', 'i32', 'i32'], (f, task, args, thread) => {
    const locals = Object.entries(parameters).map(([name, type], i) => {
      const value = type === 'i32' ? i32.load(args, 4 * i) : f32.load(args, 4 * i);
      return [name, f.local<'i32' | 'f32'>(type, value)] as const;
    });
    write(f, Object.fromEntries(locals) as Locals<Parameters>, { task, thread, shared });
  });
  return handle.index;
}

/** for (i = from; i < below; i += step) body(i), with unsigned numbers. */
export function loop(
  f: FunctionBuilder,
  from: Expr<'i32'> | number,
  below: Expr<'i32'> | number,
  body: (i: Local<'i32'>) => void,
  step: Local<'i32'> | number = 1,
): void {
  const i = f.local('i32', typeof from === 'number' ? i32.const(from) : from);
  const end = f.local('i32', typeof below === 'number' ? i32.const(below) : below);
  f.while(i32.lt_u(i, end), () => {
    body(i);
    f.set(i, i32.add(i, step));
  });
}

/** min(length, total − from) */
export function remaining(
  f: FunctionBuilder,
  total: Local<'i32'>,
  from: Local<'i32'>,
  length: Expr<'i32'>,
): Local<'i32'> {
  return f.local('i32', i32.min_u(length, f.local('i32', i32.sub(total, from))));
}

/** The columns that a task has, of a matrix whose rows are split into parts of `length` columns: a task of each part of the first
 *  rows, then of the next. `rows` is the number of the rows. */
export function partOfRow(
  f: FunctionBuilder,
  task: Local<'i32'>,
  columns: Local<'i32'>,
  length: number,
): Record<'rows' | 'first' | 'width', Local<'i32'>> {
  const parts = f.local('i32', i32.div_u(i32.add(columns, length - 1), length));
  const first = f.local('i32', i32.mul(i32.rem_u(task, parts), length));
  const width = remaining(f, columns, first, i32.const(length));
  return { rows: f.local('i32', i32.div_u(task, parts)), first, width };
}

/** Memory access in `vectorised`: whole vectors, or one float in the first lane. */
export interface Access {
  load(address: Expr<'i32'>): Expr<'v128'>;
  store(address: Expr<'i32'>, value: Expr<'v128'>): void;
}

/** Runs `body` over `count` floats, four at a time, and over the remainder one at a time, with the same instructions.
 *  `offset` is the distance in bytes from the first float. */
export function vectorised(
  f: FunctionBuilder,
  count: Expr<'i32'>,
  body: (offset: Local<'i32'>, access: Access) => void,
): void {
  const offset = f.local('i32', i32.const(0));
  const endOfVectors = f.local('i32', i32.shl(i32.and(count, -4), 2));
  const end = f.local('i32', i32.shl(count, 2));
  f.while(i32.lt_u(offset, endOfVectors), () => {
    body(offset, {
      load: (address) => v128.load(address),
      store: (address, value) => f.do(v128.store(address, value)),
    });
    f.set(offset, i32.add(offset, 16));
  });
  f.while(i32.lt_u(offset, end), () => {
    body(offset, {
      load: (address) => v128.load32_zero(address),
      store: (address, value) => f.do(v128.store32_lane(address, value, 0)),
    });
    f.set(offset, i32.add(offset, 4));
  });
}

export const ZERO = v128.const(new Uint8Array(16));

export function splatInt(value: number): Expr<'v128'> {
  return i32x4.splat(i32.const(value));
}
