import { expectShape } from '../../../backends/backend.ts';
import type { Gate } from '../../gate.ts';

/** Mean cross-entropy between softmax(logits) and the labels, in nats.
 *
 *  loss = 1/B Σ_b −Σ_c q_bc log softmax(logits_b)_c with the target q = (1 − ε)·onehot(label) + ε/C. Outside training
 *  ε = 0, so a validation loss is always plain cross-entropy.
 *  logits [B, C]; labels [B], integers 0 … C − 1; loss is a scalar.
 *  Backward: dlogits = upstream · (softmax(logits) − q)/B.
 *  @param labelSmoothing ε, in [0, 1).
 *  @throws ShapeError unless there is one label per row.
 *  Source: CS231n notes, "Linear classification"; C. Szegedy et al., "Rethinking the Inception Architecture" (2016). */
export function softmaxCrossEntropy(labelSmoothing = 0): Gate<'logits' | 'labels'> {
  return {
    name: 'softmax cross-entropy',
    shape({ logits, labels }) {
      expectShape('labels', labels, [logits[0]]);
      return [];
    },
    forward(backend, { logits, labels }, loss, { training }) {
      backend.softmaxCrossEntropy(logits, labels, training ? labelSmoothing : 0, loss);
    },
    backward(backend, { inputs: { logits, labels }, upstream, pass: { training } }) {
      const smoothing = training ? labelSmoothing : 0;
      return {
        logits: (into) => backend.softmaxCrossEntropyDerivative(logits, labels, smoothing, upstream, into),
        labels: undefined,
      };
    },
  };
}
