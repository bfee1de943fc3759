import type { Activation } from '../../backends/backend.ts';
import type { Gate } from '../gate.ts';

/** y = φ(x), elementwise, for x of any shape.
 *
 *  | φ          | φ(x)            | φ′(x)                     |
 *  | ---------- | --------------- | ------------------------- |
 *  | relu       | max(0, x)       | 1 for x > 0, else 0       |
 *  | leaky-relu | max(0.01 x, x)  | 1 for x > 0, else 0.01    |
 *  | sigmoid    | 1/(1 + e⁻ˣ)     | y (1 − y)                 |
 *  | tanh       | tanh x          | 1 − y²                    |
 *
 *  Backward: dx = upstream ⊙ φ′(x). The Jacobian is diagonal, so it is never built.
 *  Source: CS231n notes, "Neural Networks 1" (commonly used activation functions). */
export function activation(kind: Activation): Gate<'x'> {
  const hasKink = kind === 'relu' || kind === 'leaky-relu';
  return {
    name: kind,
    shape: ({ x }) => x,
    forward(backend, { x }, y) {
      backend.activation(kind, x, y);
    },
    backward(backend, { output: y, upstream }) {
      return { x: (into) => backend.activationDerivative(kind, y, upstream, into) };
    },
    async kinkSides(backend, _, y) {
      return hasKink ? Array.from(await backend.read(y), (value) => value > 0) : [];
    },
  };
}
