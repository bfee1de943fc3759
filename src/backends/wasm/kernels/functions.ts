import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { f32x4, i32, i32x4, type V128, v128 } from '../assembler/instructions.ts';
import { splatInt } from './kernel.ts';

// Functions of four numbers at once, of additions and multiplications only, so that every engine and processor gives the
// same bits.

const number = (value: number): V128 => f32x4.splat(value);

/** Horner's scheme: c₀ + x (c₁ + x (c₂ + …)). */
function polynomial(x: Local<'v128'>, coefficients: readonly number[]): V128 {
  return coefficients
    .slice(0, -1)
    .reduceRight<V128>((sum, c) => f32x4.add(f32x4.mul(sum, x), number(c)), number(coefficients.at(-1)!));
}

// ln 2 in two parts; the first has few bits, so that its product with an integer below 2⁸ is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = Math.LN2 - LN2_HIGH;

/** eˣ, to about 1e-7 of its value: eˣ = 2ⁿ eʳ with n = nearest(x/ln 2), |r| ≤ ln 2/2, and eʳ by its Taylor polynomial of
 *  degree 7. 0 below −87, infinite from 88.8 on; NaN stays. */
export function exp(f: FunctionBuilder, value: V128): Local<'v128'> {
  const x = f.local('v128', value);
  // pmin and pmax keep a NaN of their first operand.
  const bounded = f.local('v128', f32x4.pmin(f32x4.pmax(x, number(-104)), number(104)));
  const n = f.local('v128', f32x4.nearest(f32x4.mul(bounded, number(Math.LOG2E))));
  const r = f.local(
    'v128',
    f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, number(LN2_HIGH))), f32x4.mul(n, number(LN2_LOW))),
  );
  const series = f.local('v128', polynomial(r, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]));
  // 2ⁿ in two factors, because n = 128 is beyond the exponents of a float32.
  const half = f.local('v128', i32x4.trunc_sat_f32x4_s(f32x4.mul(n, number(0.5))));
  const other = f.local('v128', i32x4.sub(i32x4.trunc_sat_f32x4_s(n), half));
  const powerOf2 = (exponent: V128) => i32x4.shl(i32x4.add(exponent, splatInt(127)), 23);
  const result = f.local('v128', f32x4.mul(f32x4.mul(series, powerOf2(half)), powerOf2(other)));
  return f.local('v128', v128.andnot(result, f32x4.lt(x, number(-87))));
}

/** ln x for x ≥ 1, to about 1e-7: ln x = n ln 2 + ln m with m in [√½, √2), and ln m = 2 artanh((m − 1)/(m + 1)) by its
 *  series. NaN stays, and the logarithm of ∞ is ∞. */
export function log(f: FunctionBuilder, value: V128): Local<'v128'> {
  const x = f.local('v128', value);
  const SQRT_HALF = 0x3f3504f3;
  // The exponent counted so that the mantissa begins at √½.
  const shifted = f.local('v128', i32x4.sub(x, splatInt(SQRT_HALF)));
  const n = f.local('v128', f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23)));
  const m = f.local('v128', i32x4.add(v128.and(shifted, splatInt(0x7fffff)), splatInt(SQRT_HALF)));
  const t = f.local('v128', f32x4.div(f32x4.sub(m, number(1)), f32x4.add(m, number(1))));
  const square = f.local('v128', f32x4.mul(t, t));
  const series = f32x4.mul(t, polynomial(square, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]));
  const result = f.local(
    'v128',
    f32x4.add(f32x4.mul(n, number(LN2_HIGH)), f32x4.add(f32x4.mul(n, number(LN2_LOW)), series)),
  );
  // Not below infinity: infinite or NaN.
  return f.local('v128', v128.bitselect(result, x, f32x4.lt(x, number(Infinity))));
}

/** 1/(1 + e⁻ˣ). */
export function sigmoid(f: FunctionBuilder, x: V128): V128 {
  return f32x4.div(number(1), f32x4.add(number(1), exp(f, f32x4.neg(x))));
}

/** 1 − 2/(e²|ˣ| + 1), with the sign of x; x itself near 0, where that would cancel. */
export function tanh(f: FunctionBuilder, value: V128): V128 {
  const x = f.local('v128', value);
  const size = f.local('v128', f32x4.abs(x));
  const e = exp(f, f32x4.add(size, size));
  const far = f.local('v128', f32x4.sub(number(1), f32x4.div(number(2), f32x4.add(e, number(1)))));
  const square = f.local('v128', f32x4.mul(x, x));
  const near = f32x4.mul(size, polynomial(square, [1, -1 / 3, 2 / 15, -17 / 315]));
  const result = f.local('v128', v128.bitselect(near, far, f32x4.lt(size, number(0.25))));
  return v128.or(result, v128.and(x, i32x4.splat(i32.const(0x80000000))));
}

/** The scrambling of src/random.ts, of four integers. */
export function hash32(f: FunctionBuilder, value: V128): Local<'v128'> {
  const x = f.local('v128', value);
  f.set(x, i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), splatInt(0x7feb352d)));
  f.set(x, i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), splatInt(0x846ca68b)));
  f.set(x, v128.xor(x, i32x4.shr_u(x, 16)));
  return x;
}
