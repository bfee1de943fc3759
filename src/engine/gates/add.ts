import { expectShape } from '../../backends/backend.ts';
import { type Gate, store } from '../gate.ts';

/** a + b, elementwise, for a and b of the same shape.
 *
 *  Backward: da = db = upstream. An add gate passes its upstream gradient on to both inputs unchanged.
 *  @throws ShapeError if the shapes differ.
 *  Source: CS231n notes, "Backpropagation" (patterns in backward flow). */
export const add: Gate<'a' | 'b'> = {
  name: '+',
  shape({ a, b }) {
    expectShape('b', b, a);
    return a;
  },
  forward(backend, { a, b }, sum) {
    backend.add(a, b, store(sum));
  },
  backward(backend, { upstream }) {
    return {
      a: (into) => backend.deliver(upstream, into),
      b: (into) => backend.deliver(upstream, into),
    };
  },
};
