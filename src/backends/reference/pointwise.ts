import { hash32 } from '../../random.ts';
import type { Activation } from '../backend.ts';
import type { Values } from './tensor.ts';

const LEAKY_SLOPE = 0.01;

/** φ, and φ′ as a function of y = φ(x). Both propagate NaN. At 0, (leaky) ReLU has the derivative of its lower side. */
const ACTIVATIONS: Record<Activation, { value(x: number): number; derivative(y: number): number }> = {
  relu: { value: (x) => Math.max(x, 0), derivative: (y) => (y > 0 ? 1 : 0) },
  'leaky-relu': { value: (x) => (x <= 0 ? LEAKY_SLOPE * x : x), derivative: (y) => (y > 0 ? 1 : LEAKY_SLOPE) },
  sigmoid: { value: (x) => 1 / (1 + Math.exp(-x)), derivative: (y) => y * (1 - y) },
  tanh: { value: Math.tanh, derivative: (y) => 1 - y * y },
};

/** target = φ(x). */
export function activation(kind: Activation, x: Values, target: Values): void {
  const { value } = ACTIVATIONS[kind];
  for (let i = 0; i < x.length; i++) target[i] = value(x[i]);
}

/** target = upstream ⊙ φ′(x), from y = φ(x). */
export function activationDerivative(kind: Activation, y: Values, upstream: Values, target: Values): void {
  const { derivative } = ACTIVATIONS[kind];
  for (let i = 0; i < y.length; i++) target[i] = upstream[i] * derivative(y[i]);
}

/** target = x ⊙ mask/(1 − rate), with the mask defined in Backend.dropout. */
export function dropout(x: Values, rate: number, key: number, target: Values): void {
  const threshold = rate * 2 ** 32;
  const scale = 1 / (1 - rate);
  for (let i = 0; i < x.length; i++) target[i] = hash32(key + hash32(i)) >= threshold ? x[i] * scale : 0;
}

/** Sum of the rows of x: [M, N] → [N]. */
export function sumRows(x: Values, target: Values): void {
  const N = target.length;
  for (let j = 0; j < N; j++) {
    let sum = 0;
    for (let i = j; i < x.length; i += N) sum += x[i];
    target[j] = sum;
  }
}

export function sum(x: Values): number {
  let sum = 0;
  for (const value of x) sum += value;
  return sum;
}

export function sumSquares(x: Values): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return sum;
}
