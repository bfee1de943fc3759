import type { Gate, Gradient } from '../gate.ts';

/** factor · ‖x‖² = factor · Σ xᵢ², a scalar, for x of any shape.
 *
 *  Backward: dx = upstream · 2 factor x.
 *  @param name the name of the gate. @param input the name of its input x.
 *  Source: CS231n, lecture 4 (a vectorised example). */
export function squaredNorm<Name extends string>(name: string, input: Name, factor: number): Gate<Name> {
  return {
    name,
    shape: () => [],
    forward(backend, inputs, y) {
      backend.sumSquares(inputs[input], factor, y);
    },
    backward(backend, { inputs, upstream }) {
      const gradient: Gradient = (into) => backend.scale(inputs[input], 2 * factor, upstream, into);
      return { [input]: gradient } as Record<Name, Gradient>;
    },
  };
}

/** ‖x‖². */
export const norm2 = squaredNorm('norm2', 'x', 1);
