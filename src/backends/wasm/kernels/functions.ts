import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { f32x4, i32, i32x4, type V128, v128 } from '../assembler/instructions.ts';
import { splatInt } from './kernel.ts';

// Elementary functions of four floats at a time. They use only operations whose rounding IEEE 754 defines, so that every
// engine and processor gives the same bits.

const constant = (value: number): V128 => f32x4.splat(value);

/** Horner's scheme: c₀ + x (c₁ + x (c₂ + …)). */
function polynomial(x: Local<'v128'>, coefficients: readonly number[]): V128 {
  return coefficients
    .slice(0, -1)
    .reduceRight<V128>((sum, c) => f32x4.add(f32x4.mul(sum, x), constant(c)), constant(coefficients.at(-1)!));
}

// ln 2 as a sum; the high part has few bits, so that its product with an integer below 2⁸ is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = Math.LN2 - LN2_HIGH;

/** eˣ, with a relative error of about 1e-7: eˣ = 2ⁿ eʳ with n = nearest(x/ln 2), |r| ≤ ln 2/2, and the Taylor polynomial
 *  of degree 7 for eʳ. It is 0 below −87 and ∞ from 88.8; NaN gives NaN. */
export function exp(f: FunctionBuilder, value: V128): Local<'v128'> {
  const x = f.local('v128', value);
  // pmin and pmax return their first operand if it is NaN.
  const bounded = f.local('v128', f32x4.pmin(f32x4.pmax(x, constant(-104)), constant(104)));
  const n = f.local('v128', f32x4.nearest(f32x4.mul(bounded, constant(Math.LOG2E))));
  const r = f.local(
    'v128',
    f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, constant(LN2_HIGH))), f32x4.mul(n, constant(LN2_LOW))),
  );
  const series = f.local('v128', polynomial(r, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]));
  // 2ⁿ as a product, because n = 128 exceeds the largest exponent of a float32.
  const half = f.local('v128', i32x4.trunc_sat_f32x4_s(f32x4.mul(n, constant(0.5))));
  const other = f.local('v128', i32x4.sub(i32x4.trunc_sat_f32x4_s(n), half));
  const powerOf2 = (exponent: V128) => i32x4.shl(i32x4.add(exponent, splatInt(127)), 23);
  const result = f.local('v128', f32x4.mul(f32x4.mul(series, powerOf2(half)), powerOf2(other)));
  return f.local('v128', v128.andnot(result, f32x4.lt(x, constant(-87))));
}

/** ln x for x ≥ 1, with a relative error of about 1e-7: ln x = n ln 2 + ln m with m in [√½, √2), and the power series of
 *  ln m = 2 artanh((m − 1)/(m + 1)). NaN gives NaN, and ∞ gives ∞. */
export function log(f: FunctionBuilder, value: V128): Local<'v128'> {
  const x = f.local('v128', value);
  const SQRT_HALF = 0x3f3504f3;
  // Subtracting √½ as an integer splits x = 2ⁿ m with m from √½ rather than from 1.
  const shifted = f.local('v128', i32x4.sub(x, splatInt(SQRT_HALF)));
  const n = f.local('v128', f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23)));
  const m = f.local('v128', i32x4.add(v128.and(shifted, splatInt(0x7fffff)), splatInt(SQRT_HALF)));
  const t = f.local('v128', f32x4.div(f32x4.sub(m, constant(1)), f32x4.add(m, constant(1))));
  const square = f.local('v128', f32x4.mul(t, t));
  const series = f32x4.mul(t, polynomial(square, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]));
  const result = f.local(
    'v128',
    f32x4.add(f32x4.mul(n, constant(LN2_HIGH)), f32x4.add(f32x4.mul(n, constant(LN2_LOW)), series)),
  );
  // ∞ and NaN are their own results.
  return f.local('v128', v128.bitselect(result, x, f32x4.lt(x, constant(Infinity))));
}

/** 1/(1 + e⁻ˣ). */
export function sigmoid(f: FunctionBuilder, x: V128): V128 {
  return f32x4.div(constant(1), f32x4.add(constant(1), exp(f, f32x4.neg(x))));
}

/** 1 − 2/(e²|ˣ| + 1), with the sign of x; below 0.25, where digits would cancel, the Taylor polynomial of degree 7. */
export function tanh(f: FunctionBuilder, value: V128): V128 {
  const x = f.local('v128', value);
  const size = f.local('v128', f32x4.abs(x));
  const e = exp(f, f32x4.add(size, size));
  const large = f.local('v128', f32x4.sub(constant(1), f32x4.div(constant(2), f32x4.add(e, constant(1)))));
  const square = f.local('v128', f32x4.mul(x, x));
  const small = f32x4.mul(size, polynomial(square, [1, -1 / 3, 2 / 15, -17 / 315]));
  const result = f.local('v128', v128.bitselect(small, large, f32x4.lt(size, constant(0.25))));
  return v128.or(result, v128.and(x, i32x4.splat(i32.const(0x80000000))));
}

/** hash32 of src/random.ts, for four integers. */
export function hash32(f: FunctionBuilder, value: V128): Local<'v128'> {
  const x = f.local('v128', value);
  f.set(x, i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), splatInt(0x7feb352d)));
  f.set(x, i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), splatInt(0x846ca68b)));
  f.set(x, v128.xor(x, i32x4.shr_u(x, 16)));
  return x;
}
