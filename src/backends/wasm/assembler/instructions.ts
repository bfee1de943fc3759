import { Expr, type FunctionHandle, signed, unsigned, type ValueType } from './assembler.ts';

// The WebAssembly instructions that the kernels use, under their names in the specification: `f32x4.mul(a, b)` is the
// instruction f32x4.mul. A plain number is a constant.

export type I32 = Expr<'i32'> | number;
export type I64 = Expr<'i64'> | bigint;
export type F32 = Expr<'f32'> | number;
export type V128 = Expr<'v128'>;

type Operand<T extends ValueType> = T extends 'i32' ? I32 : T extends 'i64' ? I64 : T extends 'f32' ? F32 : Expr<T>;

function toExpr(type: ValueType, value: Operand<ValueType>): Expr {
  if (value instanceof Expr) return value;
  if (typeof value === 'bigint') return new Expr('i64', [0x42, ...signed(value)]);
  if (type === 'f32') return new Expr('f32', [0x43, ...new Uint8Array(Float32Array.of(value).buffer)]);
  return new Expr('i32', [0x41, ...signed(BigInt(value | 0))]);
}

function unary<In extends ValueType, Out extends ValueType>(input: In, output: Out, ...opcode: number[]) {
  return (a: Operand<In>): Expr<Out> => new Expr(output, [toExpr(input, a).code, ...opcode]);
}

function binary<In extends ValueType, Out extends ValueType>(input: In, output: Out, ...opcode: number[]) {
  return (a: Operand<In>, b: Operand<In>): Expr<Out> =>
    new Expr(output, [toExpr(input, a).code, toExpr(input, b).code, ...opcode]);
}

/** A memory access at address + offset. The alignment hint is `log2` of the number of bytes accessed. */
function load<Out extends ValueType>(output: Out, log2: number, ...opcode: number[]) {
  return (address: I32, offset = 0): Expr<Out> =>
    new Expr(output, [toExpr('i32', address).code, ...opcode, log2, unsigned(offset)]);
}

function store<In extends ValueType>(input: In, log2: number, ...opcode: number[]) {
  return (address: I32, value: Operand<In>, offset = 0): Expr<'void'> =>
    new Expr('void', [toExpr('i32', address).code, toExpr(input, value).code, ...opcode, log2, unsigned(offset)]);
}

/** The constant that every module imports. */
export const BASE = new Expr('i32', [0x23, 0x00]);

const vectorOpcode = (opcode: number) => [0xfd, ...unsigned(opcode)];
const vectorUnary = (opcode: number) => unary('v128', 'v128', ...vectorOpcode(opcode));
const vectorBinary = (opcode: number) => binary('v128', 'v128', ...vectorOpcode(opcode));
const vectorLoad = (opcode: number, log2: number) => load('v128', log2, ...vectorOpcode(opcode));

function splat<In extends ValueType>(input: In, opcode: number) {
  return unary(input, 'v128', ...vectorOpcode(opcode));
}

function shift(opcode: number) {
  return (a: V128, by: I32): V128 => new Expr('v128', [a.code, toExpr('i32', by).code, ...vectorOpcode(opcode)]);
}

function extractLane<Out extends ValueType>(output: Out, opcode: number) {
  return (a: V128, lane: number): Expr<Out> => new Expr(output, [a.code, ...vectorOpcode(opcode), lane]);
}

export const i32 = {
  const: (value: number) => toExpr('i32', value) as Expr<'i32'>,
  load: load('i32', 2, 0x28),
  load8_u: load('i32', 0, 0x2d),
  load8_s: load('i32', 0, 0x2c),
  store: store('i32', 2, 0x36),
  store8: store('i32', 0, 0x3a),
  store16: store('i32', 1, 0x3b),
  eqz: unary('i32', 'i32', 0x45),
  eq: binary('i32', 'i32', 0x46),
  lt_u: binary('i32', 'i32', 0x49),
  lt_s: binary('i32', 'i32', 0x48),
  gt_u: binary('i32', 'i32', 0x4b),
  ge_u: binary('i32', 'i32', 0x4f),
  add: binary('i32', 'i32', 0x6a),
  sub: binary('i32', 'i32', 0x6b),
  mul: binary('i32', 'i32', 0x6c),
  div_u: binary('i32', 'i32', 0x6e),
  rem_u: binary('i32', 'i32', 0x70),
  and: binary('i32', 'i32', 0x71),
  or: binary('i32', 'i32', 0x72),
  xor: binary('i32', 'i32', 0x73),
  shl: binary('i32', 'i32', 0x74),
  shr_u: binary('i32', 'i32', 0x76),
  wrap_i64: unary('i64', 'i32', 0xa7),
  min_u: (a: Expr<'i32'>, b: Expr<'i32'>) => select(a, b, binary('i32', 'i32', 0x49)(a, b)),
};

export const i64 = {
  load: load('i64', 3, 0x29),
  store: store('i64', 3, 0x37),
  extend_i32_u: unary('i32', 'i64', 0xad),
  or: binary('i64', 'i64', 0x84),
  shl: binary('i64', 'i64', 0x86),
  shr_u: binary('i64', 'i64', 0x88),
};

export const f32 = {
  const: (value: number) => toExpr('f32', value) as Expr<'f32'>,
  load: load('f32', 2, 0x2a),
  store: store('f32', 2, 0x38),
  lt: binary('f32', 'i32', 0x5d),
  add: binary('f32', 'f32', 0x92),
  sub: binary('f32', 'f32', 0x93),
  mul: binary('f32', 'f32', 0x94),
  div: binary('f32', 'f32', 0x95),
};

export const v128 = {
  load: vectorLoad(0x00, 4),
  load32_splat: vectorLoad(0x09, 2),
  load32_zero: vectorLoad(0x5c, 2),
  load64_zero: vectorLoad(0x5d, 3),
  store: store('v128', 4, ...vectorOpcode(0x0b)),
  load32_lane: (address: I32, into: V128, lane: number): V128 =>
    new Expr('v128', [toExpr('i32', address).code, into.code, ...vectorOpcode(0x56), 0x02, 0x00, lane]),
  store32_lane: (address: I32, value: V128, lane: number): Expr<'void'> =>
    new Expr('void', [toExpr('i32', address).code, value.code, ...vectorOpcode(0x5a), 0x02, 0x00, lane]),
  const: (bytes: Uint8Array): V128 => new Expr('v128', [...vectorOpcode(0x0c), ...bytes]),
  and: vectorBinary(0x4e),
  /** a and not b. */
  andnot: vectorBinary(0x4f),
  or: vectorBinary(0x50),
  xor: vectorBinary(0x51),
  /** The bits of a where the mask is set, those of b elsewhere. */
  bitselect: (a: V128, b: V128, mask: V128): V128 =>
    new Expr('v128', [a.code, b.code, mask.code, ...vectorOpcode(0x52)]),
};

export const i8x16 = {
  splat: splat('i32', 0x0f),
  swizzle: vectorBinary(0x0e),
  narrow_i16x8_s: vectorBinary(0x65),
  add: vectorBinary(0x6e),
  sub: vectorBinary(0x71),
  shuffle: (a: V128, b: V128, lanes: readonly number[]): V128 =>
    new Expr('v128', [a.code, b.code, ...vectorOpcode(0x0d), ...lanes]),
};

export const i16x8 = {
  narrow_i32x4_s: vectorBinary(0x85),
  extend_low_i8x16_s: vectorUnary(0x87),
  extend_high_i8x16_s: vectorUnary(0x88),
};

export const i32x4 = {
  splat: splat('i32', 0x11),
  extend_low_i16x8_s: vectorUnary(0xa7),
  extend_high_i16x8_s: vectorUnary(0xa8),
  shl: shift(0xab),
  shr_s: shift(0xac),
  shr_u: shift(0xad),
  add: vectorBinary(0xae),
  sub: vectorBinary(0xb1),
  mul: vectorBinary(0xb5),
  eq: vectorBinary(0x37),
  ge_u: vectorBinary(0x40),
  max_s: vectorBinary(0xb8),
  dot_i16x8_s: vectorBinary(0xba),
  extract_lane: extractLane('i32', 0x1b),
  replace_lane: (a: V128, lane: number, value: I32): V128 =>
    new Expr('v128', [a.code, toExpr('i32', value).code, ...vectorOpcode(0x1c), lane]),
  trunc_sat_f32x4_s: vectorUnary(0xf8),
  /** c + the sum of four products of bytes in each lane. Those of b must have 7 bits: 0 to 127. */
  relaxed_dot_i8x16_i7x16_add_s: (a: V128, b: V128, c: V128): V128 =>
    new Expr('v128', [a.code, b.code, c.code, ...vectorOpcode(0x113)]),
};

export const i64x2 = {
  extract_lane: extractLane('i64', 0x1d),
};

export const f32x4 = {
  splat: splat('f32', 0x13),
  extract_lane: extractLane('f32', 0x1f),
  eq: vectorBinary(0x41),
  ne: vectorBinary(0x42),
  lt: vectorBinary(0x43),
  gt: vectorBinary(0x44),
  le: vectorBinary(0x45),
  nearest: vectorUnary(0x6a),
  abs: vectorUnary(0xe0),
  neg: vectorUnary(0xe1),
  sqrt: vectorUnary(0xe3),
  add: vectorBinary(0xe4),
  sub: vectorBinary(0xe5),
  mul: vectorBinary(0xe6),
  div: vectorBinary(0xe7),
  max: vectorBinary(0xe9),
  /** b < a ? b : a. */
  pmin: vectorBinary(0xea),
  /** a < b ? b : a, so a NaN in a is kept. */
  pmax: vectorBinary(0xeb),
  convert_i32x4_s: vectorUnary(0xfa),
  /** a · b + c, rounded once if the processor has fused multiply-add. */
  relaxed_madd: (a: V128, b: V128, c: V128): V128 => new Expr('v128', [a.code, b.code, c.code, ...vectorOpcode(0x105)]),
};

export const atomic = {
  /** Wakes up to `count` waiting threads and returns how many it woke. */
  notify: (address: I32, count: I32, offset = 0): Expr<'i32'> =>
    new Expr('i32', [toExpr('i32', address).code, toExpr('i32', count).code, 0xfe, 0x00, 0x02, unsigned(offset)]),
  load_i32: load('i32', 2, 0xfe, 0x10),
  load_i64: load('i64', 3, 0xfe, 0x11),
  store_i32: store('i32', 2, 0xfe, 0x17),
  store_i64: store('i64', 3, 0xfe, 0x18),
  /** Adds to the word in memory and returns its old value. */
  add_i32: (address: I32, value: I32, offset = 0): Expr<'i32'> =>
    new Expr('i32', [toExpr('i32', address).code, toExpr('i32', value).code, 0xfe, 0x1e, 0x02, unsigned(offset)]),
  add_i64: (address: I32, value: I64): Expr<'i64'> =>
    new Expr('i64', [toExpr('i32', address).code, toExpr('i64', value).code, 0xfe, 0x1f, 0x03, 0x00]),
};

/** a if the condition is not 0, else b; both are evaluated. */
export function select<T extends ValueType>(a: Expr<T>, b: Expr<T>, condition: Expr<'i32'>): Expr<T> {
  const opcode = a.type === 'v128' ? [0x1c, 0x01, 0x7b] : [0x1b];
  return new Expr(a.type, [a.code, b.code, condition.code, ...opcode]);
}

export function drop(value: Expr<ValueType>): Expr<'void'> {
  return new Expr('void', [value.code, 0x1a]);
}

export function call(target: FunctionHandle, ...args: readonly (Expr<ValueType> | number)[]): Expr<'void'> {
  return new Expr('void', [args.map((arg) => toExpr('i32', arg).code), 0x10, unsigned(target.index)]);
}

/** Calls the function at position `index` of the table. */
export function callIndirect(type: number, index: Expr<'i32'>, ...args: readonly I32[]): Expr<'void'> {
  return new Expr('void', [args.map((arg) => toExpr('i32', arg).code), index.code, ...[0x11, unsigned(type), 0x00]]);
}
