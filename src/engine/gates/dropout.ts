import { type Gate, store } from '../gate.ts';

/** y = x ⊙ mask/(1 − p) in training ("inverted" dropout), y = x otherwise; x of any shape.
 *
 *  Each element of the mask is 0 with probability p = `rate`, else 1. The mask depends only on the key of the pass, so
 *  backward recomputes it instead of storing it.
 *  Backward: dx = upstream ⊙ mask/(1 − p).
 *  @param rate p, in [0, 1).
 *  Source: N. Srivastava et al., "Dropout" (2014); CS231n notes, "Neural Networks 2". */
export function dropout(rate: number): Gate<'x'> {
  return {
    name: 'dropout',
    shape: ({ x }) => x,
    forward(backend, { x }, y, { training, key }) {
      backend.dropout(x, training ? rate : 0, key, store(y));
    },
    backward(backend, { upstream, pass: { training, key } }) {
      return { x: (into) => backend.dropout(upstream, training ? rate : 0, key, into) };
    },
  };
}
