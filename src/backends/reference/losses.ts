import type { Values } from './tensor.ts';

// Dimensions: B images in a batch, C classes. Logits are [B, C], row by row.

/** Mean over the batch of −Σ_c q_c log softmax(logits)_c with q = (1 − ε)·onehot(label) + ε/C. */
export function softmaxCrossEntropy(logits: Values, labels: Values, labelSmoothing: number): number {
  const C = logits.length / labels.length;
  let total = 0;
  for (let b = 0; b < labels.length; b++) {
    const row = b * C;
    const logSum = logSumExp(logits, row, C);
    let mean = 0;
    for (let c = 0; c < C; c++) mean += logits[row + c] / C;
    total += logSum - (1 - labelSmoothing) * logits[row + labels[b]] - labelSmoothing * mean;
  }
  return total / labels.length;
}

/** target = upstream · (softmax(logits) − q)/B. */
export function softmaxCrossEntropyDerivative(
  logits: Values,
  labels: Values,
  labelSmoothing: number,
  upstream: number,
  target: Values,
): void {
  const B = labels.length;
  const C = logits.length / B;
  for (let b = 0; b < B; b++) {
    const row = b * C;
    const logSum = logSumExp(logits, row, C);
    for (let c = 0; c < C; c++) {
      const q = (c === labels[b] ? 1 - labelSmoothing : 0) + labelSmoothing / C;
      target[row + c] = (upstream * (Math.exp(logits[row + c] - logSum) - q)) / B;
    }
  }
}

/** log Σ_c exp(logits[at + c]). The maximum is subtracted first, so that no exponential overflows. */
function logSumExp(logits: Values, at: number, C: number): number {
  let max = logits[at];
  for (let c = 1; c < C; c++) max = Math.max(max, logits[at + c]);
  let sum = 0;
  for (let c = 0; c < C; c++) sum += Math.exp(logits[at + c] - max);
  return max + Math.log(sum);
}

/** Mean over the batch of Σ_{c ≠ label} max(0, s_c − s_label + 1). */
export function hinge(logits: Values, labels: Values): number {
  const C = logits.length / labels.length;
  let total = 0;
  for (let b = 0; b < labels.length; b++) {
    const labelScore = logits[b * C + labels[b]];
    for (let c = 0; c < C; c++) if (c !== labels[b]) total += Math.max(0, logits[b * C + c] - labelScore + 1);
  }
  return total / labels.length;
}

/** target = upstream · ∂hinge/∂logits: 1/B for each class that violates the margin, minus their sum at the label. */
export function hingeDerivative(logits: Values, labels: Values, upstream: number, target: Values): void {
  const B = labels.length;
  const C = logits.length / B;
  for (let b = 0; b < B; b++) {
    const row = b * C;
    const labelScore = logits[row + labels[b]];
    let violations = 0;
    for (let c = 0; c < C; c++) {
      const isViolation = c !== labels[b] && logits[row + c] - labelScore + 1 > 0;
      target[row + c] = isViolation ? upstream / B : 0;
      if (isViolation) violations++;
    }
    target[row + labels[b]] = (-violations * upstream) / B;
  }
}

/** Number of rows whose first maximum is at the label; a row that contains NaN has no maximum. */
export function countCorrect(logits: Values, labels: Values): number {
  const C = logits.length / labels.length;
  let correct = 0;
  for (let b = 0; b < labels.length; b++) {
    const row = logits.subarray(b * C, (b + 1) * C);
    let best = 0;
    for (let c = 1; c < C; c++) if (row[c] > row[best]) best = c;
    if (best === labels[b] && !row.some(Number.isNaN)) correct++;
  }
  return correct;
}
