import type { Example, NetworkData } from '../../network-data.ts';
import type { Target } from './scores.ts';

/** What the pictures of a gradient show. */
export function gradientText({ wires, classes, loss }: NetworkData, { label }: Example, target: Target): string {
  const isLinear = wires.some(({ name }) => name === 'linear.weight');
  if (target === 'loss') {
    const factor = loss === 'softmax' ? '(probability − 1 for the right class)' : '(1 where the margin is violated)';
    return `The gradient of the loss is the sum of the gradients of all scores, each times that of the loss by the score ${factor}. A step against it makes the image more like ${classes[label]}.`;
  }
  const name = classes[target];
  return isLinear
    ? `The gradient of a linear score is its template: the row of the weights for ${name}, whatever the image.`
    : `A small change of a bright pixel moves the score of ${name} most. Other images open and close other hidden units, and so have other gradients.`;
}
