import { type ElementwiseBackend, expectShape } from '../../backends/backend.ts';
import { type Gate, type Gradient, store } from '../gate.ts';

/** A function of numbers and its derivatives. */
export interface Rule<Name extends string> {
  /** y = f(a, b, …), the inputs in the order in which `local` names them. */
  value(...inputs: number[]): number;
  /** For each input its local gradient, ∂y/∂input as a function of (a, b, …, y). */
  readonly local: Readonly<Record<Name, (...inputsAndOutput: number[]) => number>>;
}

export type ElementwiseGate<Name extends string> = Gate<Name, ElementwiseBackend> & Rule<Name>;

/** y = f(a, b, …), elementwise, for inputs of one shape.
 *
 *  Backward: the gradient by each input is upstream ⊙ local. The Jacobian is diagonal, so it is never built.
 *  @throws ShapeError if the shapes differ.
 *  Source: CS231n, lecture 4 (vectorised operations). */
export function elementwise<Name extends string>(name: string, { value, local }: Rule<Name>): ElementwiseGate<Name> {
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
      const gradientBy = (input: Name): Gradient => {
        const derivative = local[input];
        return (into) => backend.elementwise((up, ...point) => up * derivative(...point), operands, into);
      };
      return Object.fromEntries(names.map((input) => [input, gradientBy(input)])) as Record<Name, Gradient>;
    },
  };
}

/** The gate of x that is left of a gate of a and b when one of them is a constant c. */
export function withConstant(
  name: string,
  { value, local }: Rule<'a' | 'b'>,
  side: 'a' | 'b',
  c: number,
): ElementwiseGate<'x'> {
  return side === 'a'
    ? elementwise(name, { value: (x) => value(c, x), local: { x: (x, y) => local.b(c, x, y) } })
    : elementwise(name, { value: (x) => value(x, c), local: { x: (x, y) => local.a(x, c, y) } });
}
