import { expectShape } from '../../../backends/backend.ts';
import type { Gate } from '../../gate.ts';

/** Mean multiclass SVM loss with margin 1.
 *
 *  loss = 1/B Σ_b Σ_{c ≠ y} max(0, s_bc − s_by + 1), with y the label of row b.
 *  logits s [B, C]; labels [B], integers 0 … C − 1; loss is a scalar.
 *  Backward: each class that violates the margin gets upstream/B, and the label minus the sum of these; a class exactly
 *  at the kink gets 0.
 *  @throws ShapeError unless there is one label per row.
 *  Source: CS231n notes, "Linear classification"; J. Weston and C. Watkins, "Support Vector Machines for Multi-Class
 *  Pattern Recognition" (1999). */
export const hinge: Gate<'logits' | 'labels'> = {
  name: 'hinge',
  shape({ logits, labels }) {
    expectShape('labels', labels, [logits[0]]);
    return [];
  },
  forward(backend, { logits, labels }, loss) {
    backend.hinge(logits, labels, loss);
  },
  backward(backend, { inputs: { logits, labels }, upstream }) {
    return {
      logits: (into) => backend.hingeDerivative(logits, labels, upstream, into),
      labels: undefined,
    };
  },
  async kinkSides(backend, { logits, labels }) {
    const [scores, rows] = [await backend.read(logits), await backend.read(labels)];
    const C = scores.length / rows.length;
    return Array.from(scores, (score, i) => {
      const b = Math.floor(i / C);
      return i % C !== rows[b] && score - scores[b * C + rows[b]] + 1 > 0;
    });
  },
};
