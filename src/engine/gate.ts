import type { Backend, DType, Shape, Sink, Tensor, WritingSink } from '../backends/backend.ts';

/** Settings of one forward pass and of the backward pass that follows it. */
export interface Pass {
  /** Whether dropout and label smoothing are active. */
  readonly training: boolean;
  /** A 32-bit integer, different for every step: the seed of the dropout masks. */
  readonly key: number;
}

/** A gradient that is computed on demand, straight into the sink it is called with. One that is never called costs
 *  nothing. */
export type Gradient = (into: Sink) => void;

/** One operation of the computational graph, forward and backward. `Name` is the union of its input names, `B` the kind of
 *  backend it needs.
 *
 *  A gate holds no values and knows no device. It calls the backend operations that compute its output and, in `backward`,
 *  those that multiply the *upstream* gradient (of the loss with respect to the output) by the *local* gradient (of the
 *  output with respect to each input). */
export interface Gate<Name extends string = string, B extends Backend = Backend> {
  readonly name: string;
  /** The shape of the output. @throws ShapeError if the shapes of the inputs do not match. */
  shape(inputs: Readonly<Record<Name, Shape>>): Shape;
  /** The type of the output, if it is not always the backend's own. */
  dtype?(inputs: Readonly<Record<Name, DType>>): DType;
  /** Computes the output from the inputs. */
  forward(backend: B, inputs: Readonly<Record<Name, Tensor>>, output: Tensor, pass: Pass): void;
  /** Returns one gradient per input, of the input's own shape; undefined for an input that is not differentiable. */
  backward(backend: B, context: BackwardContext<Name>): Readonly<Record<Name, Gradient | undefined>>;
  /** Returns a sink that takes the upstream gradient to the gradients of all inputs, for a gate whose output is so large that
   *  storing the upstream gradient would cost more than computing it. */
  passOn?(inputs: Readonly<Record<Name, Tensor>>, output: Tensor, into: Readonly<Record<Name, WritingSink>>): Sink;
  /** For gradient checks of a function with kinks: on which side of each kink the current values lie. */
  kinkSides?(backend: B, inputs: Readonly<Record<Name, Tensor>>, output: Tensor): Promise<Iterable<boolean>>;
  /** For display: the formula of each input's gradient, given the names of the inputs. An elementwise gate, or one with a
   *  scalar output, needs none: its local gradient is one number per element of an input, which `backward` returns for an
   *  upstream gradient of ones. */
  formulas?(names: Readonly<Record<Name, string>>): Readonly<Record<Name, string>>;
}

/** The values that a backward pass of a gate works with. */
export interface BackwardContext<Name extends string> {
  readonly inputs: Readonly<Record<Name, Tensor>>;
  readonly output: Tensor;
  /** The gradient of the loss with respect to the output, of its shape. */
  readonly upstream: Tensor;
  readonly pass: Pass;
}

/** A sink that overwrites the tensor. */
export function store(tensor: Tensor): WritingSink {
  return { kind: 'store', tensor };
}
