import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { call, f32, f32x4, i32, i32x4, type V128, v128 } from '../assembler/instructions.ts';
import { kernel, loop, vectorised, ZERO } from './kernel.ts';
import { SINK_PARAMETERS, threadBuffer } from './pointwise.ts';

// The units of multi-bias; see Backend.multiBias. A row of x has M = `columns` values, a row of y has `units` times as many.

/** y = [max(0, x + b₁), max(0, −x + b₂), …]. A task computes some rows. */
export const multiBias = kernel(
  { x: 'i32', bias: 'i32', y: 'i32', rows: 'i32', columns: 'i32', units: 'i32', taskRows: 'i32' },
  (f, p, { task }) => {
    const rowBytes = f.local('i32', i32.shl(p.columns, 2));
    eachRow(f, p, task, (b) => {
      const x = f.local('i32', i32.add(p.x, i32.mul(b, rowBytes)));
      const y = f.local('i32', i32.add(p.y, i32.mul(i32.mul(b, rowBytes), p.units)));
      const bias = f.local('i32', p.bias);
      loop(f, 0, p.units, (t) => {
        const sign = signOf(f, t);
        vectorised(f, p.columns, (i, { load, store }) => {
          store(i32.add(y, i), unit(load(i32.add(x, i)), sign, load(i32.add(bias, i))));
        });
        f.set(y, i32.add(y, rowBytes));
        f.set(bias, i32.add(bias, rowBytes));
      });
    });
  },
);

/** Σ_t ± (upstream ⊙ [y > 0])_t. A task computes some rows. */
export const multiBiasDerivative = kernel(
  { ...SINK_PARAMETERS, y: 'i32', upstream: 'i32', rows: 'i32', columns: 'i32', units: 'i32', taskRows: 'i32' },
  (f, p, { task, thread, shared }) => {
    const rowBytes = f.local('i32', i32.shl(p.columns, 2));
    const sums = threadBuffer(f, p, thread);
    eachRow(f, p, task, (b) => {
      const at = f.local('i32', i32.mul(i32.mul(b, rowBytes), p.units));
      const [y, upstream] = [f.local('i32', i32.add(p.y, at)), f.local('i32', i32.add(p.upstream, at))];
      vectorised(f, p.columns, (i, { store }) => store(i32.add(sums, i), ZERO));
      loop(f, 0, p.units, (t) => {
        const sign = signOf(f, t);
        vectorised(f, p.columns, (i, { load, store }) => {
          const isActive = f32x4.gt(load(i32.add(y, i)), ZERO);
          const gradient = v128.and(v128.xor(load(i32.add(upstream, i)), sign), isActive);
          store(i32.add(sums, i), f32x4.add(load(i32.add(sums, i)), gradient));
        });
        f.set(y, i32.add(y, rowBytes));
        f.set(upstream, i32.add(upstream, rowBytes));
      });
      f.do(call(shared.sink, p.sink, i32.mul(b, p.columns), sums, p.columns, f32.const(1)));
    });
  },
);

function eachRow(
  f: FunctionBuilder,
  { rows, taskRows }: Record<'rows' | 'taskRows', Local<'i32'>>,
  task: Local<'i32'>,
  body: (row: Local<'i32'>) => void,
): void {
  const first = f.local('i32', i32.mul(task, taskRows));
  loop(f, first, i32.min_u(rows, f.local('i32', i32.add(first, taskRows))), body);
}

/** max(0, ±x + b); NaN stays NaN. */
export function unit(x: V128, sign: Local<'v128'>, bias: V128): V128 {
  return f32x4.pmax(f32x4.add(v128.xor(x, sign), bias), ZERO);
}

/** The bit to flip in each number for the sign of threshold t, counted from 0: none or the sign bit. */
export function signOf(f: FunctionBuilder, t: Local<'i32'>): Local<'v128'> {
  return f.local('v128', i32x4.splat(i32.shl(t, 31)));
}
