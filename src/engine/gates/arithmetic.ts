import { elementwise } from './elementwise.ts';

// Elementwise arithmetic: y = f(a, b) or y = f(x).
// Source: CS231n notes, "Backpropagation".

export const subtract = elementwise('−', {
  value: (a, b) => a - b,
  local: { a: () => 1, b: () => -1 },
});

/** Each input gets the upstream gradient times the other input: the gate "switches" them. */
export const multiply = elementwise('*', {
  value: (a, b) => a * b,
  local: { a: (_, b) => b, b: (a) => a },
});

export const divide = elementwise('/', {
  value: (a, b) => a / b,
  local: { a: (_, b) => 1 / b, b: (a, b) => -a / (b * b) },
});

/** aᵇ. The derivative with respect to b exists for a > 0, and for a = 0 < b, where it is 0. */
export const power = elementwise('^', {
  value: (a, b) => a ** b,
  local: {
    a: (a, b) => (b === 0 ? 0 : b * a ** (b - 1)),
    b: (a, b, y) => (a === 0 && b > 0 ? 0 : y * Math.log(a)),
  },
});

/** "Routes" the upstream gradient to the larger input; at a tie, a gets all of it. */
export const maximum = elementwise('max', {
  value: Math.max,
  local: { a: (a, b) => (a >= b ? 1 : 0), b: (a, b) => (a >= b ? 0 : 1) },
});

/** Routes the upstream gradient to the smaller input; at a tie, a gets all of it. */
export const minimum = elementwise('min', {
  value: Math.min,
  local: { a: (a, b) => (a <= b ? 1 : 0), b: (a, b) => (a <= b ? 0 : 1) },
});

export const exp = elementwise('exp', {
  value: Math.exp,
  local: { x: (_, y) => y },
});

/** The natural logarithm. */
export const log = elementwise('log', {
  value: Math.log,
  local: { x: (x) => 1 / x },
});

export const sqrt = elementwise('sqrt', {
  value: Math.sqrt,
  local: { x: (_, y) => 1 / (2 * y) },
});

/** |x|, with gradient 0 at the kink. */
export const absolute = elementwise('abs', {
  value: Math.abs,
  local: { x: Math.sign },
});

/** 1 for x > 0, else 0: the perceptron's threshold. It is flat on both sides, so no gradient flows back through it.
 *  Source: F. Rosenblatt, "The Perceptron" (1958). */
export const step = elementwise('step', {
  value: (x) => (x > 0 ? 1 : 0),
  local: { x: () => 0 },
});

/** x + c. */
export function plusConstant(c: number) {
  return elementwise(c < 0 ? `−${-c}` : `+${c}`, { value: (x) => x + c, local: { x: () => 1 } });
}
