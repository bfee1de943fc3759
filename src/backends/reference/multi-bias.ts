import type { Shape } from '../backend.ts';
import { expectUnits } from '../checks.ts';
import type { Values } from './tensor.ts';

/** The sign of threshold t, counted from 0. */
const signOf = (t: number) => (t % 2 === 0 ? 1 : -1);

/** A multi-bias layer: the values of x [B, M] and y [B, T·M], and their shapes. */
interface Layer {
  readonly x: Values;
  readonly y: Values;
  readonly shapes: readonly [x: Shape, y: Shape];
}

/** y = [max(0, x + b₁), max(0, −x + b₂), …]; Backend.multiBias. */
export function multiBias({ x, y, shapes }: Layer, bias: Values): void {
  const { rows, columns: M, units: T } = expectUnits(...shapes);
  for (let b = 0; b < rows; b++) {
    for (let j = 0; j < T * M; j++) {
      y[b * T * M + j] = Math.max(0, signOf(Math.floor(j / M)) * x[b * M + (j % M)] + bias[j]);
    }
  }
}

/** x = Σ_t ± (upstream ⊙ [y > 0])_t; Backend.multiBiasDerivative. */
export function multiBiasDerivative({ x, y, shapes }: Layer, upstream: Values): void {
  const { rows, columns: M, units: T } = expectUnits(...shapes);
  for (let b = 0; b < rows; b++) {
    for (let m = 0; m < M; m++) {
      let sum = 0;
      for (let t = 0; t < T; t++) {
        const at = (b * T + t) * M + m;
        if (y[at] > 0) sum += signOf(t) * upstream[at];
      }
      x[b * M + m] = sum;
    }
  }
}

/** sums = the sum of the rows of upstream ⊙ [y > 0]; Backend.sumRowsWherePositive. */
export function sumRowsWherePositive(y: Values, upstream: Values, sums: Values): void {
  const N = sums.length;
  for (let j = 0; j < N; j++) {
    let sum = 0;
    for (let i = j; i < y.length; i += N) if (y[i] > 0) sum += upstream[i];
    sums[j] = sum;
  }
}
