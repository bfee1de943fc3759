import { type ElementwiseBackend, expectShape } from '../../backends/backend.ts';
import { type Gate, type Gradient, store } from '../gate.ts';

/** A function of one or more numbers, and its derivatives. */
export interface ScalarFunction<Name extends string> {
  /** y = f(a, b, …), with the inputs in the order of the keys of `local`. */
  value(...inputs: number[]): number;
  /** The local gradient of each input, ∂y/∂input, as a function of (a, b, …, y). */
  readonly local: Readonly<Record<Name, (...inputsAndOutput: number[]) => number>>;
}

export type ElementwiseGate<Name extends string> = Gate<Name, ElementwiseBackend> & ScalarFunction<Name>;

/** y = f(a, b, …), elementwise, for inputs of the same shape.
 *
 *  Backward: the gradient of each input is upstream ⊙ local. The Jacobian is diagonal, so it is never built.
 *  @throws ShapeError if the shapes differ.
 *  Source: CS231n, lecture 4 (vectorised operations). */
export function elementwise<Name extends string>(
  name: string,
  { value, local }: ScalarFunction<Name>,
): ElementwiseGate<Name> {
  const names = Object.keys(local) as Name[];
  return {
    name,
    value,
    local,
    shape(inputs) {
      const shape = inputs[names[0]];
      for (const other of names.slice(1)) expectShape(other, inputs[other], shape);
      return shape;
    },
    forward(backend, inputs, y) {
      const operands = names.map((input) => inputs[input]);
      backend.elementwise(value, operands, store(y));
    },
    backward(backend, { inputs, output: y, upstream }) {
      const operands = [upstream, ...names.map((input) => inputs[input]), y];
      const gradientOf = (input: Name): Gradient => {
        const derivative = local[input];
        return (into) => backend.elementwise((up, ...point) => up * derivative(...point), operands, into);
      };
      return Object.fromEntries(names.map((input) => [input, gradientOf(input)])) as Record<Name, Gradient>;
    },
  };
}

/** A gate of one input x, made from a gate of a and b by fixing one of them (`side`) at the constant c. */
export function withConstant(
  name: string,
  { value, local }: ScalarFunction<'a' | 'b'>,
  side: 'a' | 'b',
  c: number,
): ElementwiseGate<'x'> {
  return side === 'a'
    ? elementwise(name, { value: (x) => value(c, x), local: { x: (x, y) => local.b(c, x, y) } })
    : elementwise(name, { value: (x) => value(x, c), local: { x: (x, y) => local.a(x, c, y) } });
}
