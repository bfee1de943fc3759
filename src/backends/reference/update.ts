import type { UpdateRule } from '../backend.ts';
import type { Values } from './tensor.ts';

/** Moves the parameter w and the rule's state by one step along the gradient g. */
export function update(rule: UpdateRule, w: Values, g: Values, state: readonly Values[]): void {
  if (rule.kind === 'sgd') sgd(rule, w, g, state[0]);
  else adamw(rule, w, g, state[0], state[1]);
}

type Rule<Kind> = Extract<UpdateRule, { kind: Kind }>;

function sgd(rule: Rule<'sgd'>, w: Values, g: Values, velocity: Values | undefined): void {
  const { learningRate, momentum, nesterov, weightDecay } = rule;
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i] + weightDecay * w[i];
    let step = gradient;
    if (velocity) {
      const v = momentum * velocity[i] + gradient;
      velocity[i] = v;
      step = nesterov ? gradient + momentum * v : v;
    }
    w[i] -= learningRate * step;
  }
}

function adamw(rule: Rule<'adamw'>, w: Values, g: Values, first: Values, second: Values): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2 } = rule;
  for (let i = 0; i < w.length; i++) {
    const m = beta1 * first[i] + (1 - beta1) * g[i];
    const v = beta2 * second[i] + (1 - beta2) * g[i] * g[i];
    first[i] = m;
    second[i] = v;
    const step = m / correction1 / (Math.sqrt(v / correction2) + epsilon);
    w[i] -= learningRate * (step + weightDecay * w[i]);
  }
}
