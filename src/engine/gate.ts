import type { Backend, Shape, Sink, Tensor } from '../backends/backend.ts';

/** What is true of one forward pass and of the backward pass that follows it. */
export interface Pass {
  /** Whether dropout and label smoothing act. */
  readonly training: boolean;
  /** A 32-bit integer, another one for every step: what dropout draws its mask from. */
  readonly key: number;
}

/** A gradient that has not been computed yet: called with a sink, it computes itself into it. A gradient that nobody
 *  asks for costs nothing, and one that is asked for goes straight to where it is wanted. */
export type Gradient = (into: Sink) => void;

/** One operation of the computational graph, forward and backward together. `Name` are the names of its inputs, `B` is what
 *  it asks of a backend.
 *
 *  A gate holds no values and knows no device: it says which operations of a backend make its output, and which of them
 *  make, from the *upstream* gradient (that of the loss by the output) and the *local* one, the gradient by each input. */
export interface Gate<Name extends string = string, B extends Backend = Backend> {
  readonly name: string;
  /** The shape of the output. @throws ShapeError if the inputs do not fit each other. */
  shape(inputs: Readonly<Record<Name, Shape>>): Shape;
  forward(backend: B, inputs: Readonly<Record<Name, Tensor>>, output: Tensor, pass: Pass): void;
  /** One gradient for each input, of the input's own shape; undefined where the input is not differentiable. */
  backward(backend: B, at: BackwardPoint<Name>): Readonly<Record<Name, Gradient | undefined>>;
  /** For checks, where the derivative jumps: on which side of each such kink the values are. */
  sides?(backend: B, inputs: Readonly<Record<Name, Tensor>>, output: Tensor): Promise<Iterable<boolean>>;
  /** For people: how the gradient by each input follows from the upstream gradient, given the names of the inputs. A gate
   *  that works element by element, or whose output is a scalar, needs none: its local gradient is one number for each
   *  element of an input, which is what `backward` gives for an upstream gradient of ones. */
  formulas?(names: Readonly<Record<Name, string>>): Readonly<Record<Name, string>>;
}

export interface BackwardPoint<Name extends string> {
  readonly inputs: Readonly<Record<Name, Tensor>>;
  readonly output: Tensor;
  readonly upstream: Tensor;
  readonly pass: Pass;
}

export function store(tensor: Tensor): Sink {
  return { kind: 'store', tensor };
}
