// Update rules of the backend contract: the numbers and the arithmetic of each. The reference backend runs this code; every
// other backend has its own table with the same names and must give the same results.

/** Values of a parameter, of its gradient or of its state. */
type Values = Float32Array | Float64Array | Uint8Array;

interface Rule<Numbers> {
  /** Numbers that exercise every term, for tests of a backend. */
  readonly example: Numbers;
  /** Updates the parameter w and its optimiser state by one step with the gradient g. The state consists of zero or more
   *  tensors of the parameter's shape. */
  update(numbers: Numbers, w: Values, g: Values, state: readonly Values[]): void;
}

interface SgdNumbers {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}

interface AdamwNumbers {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 1 − β₁ᵗ and 1 − β₂ᵗ at step t, counted from 1. */
  readonly correction1: number;
  readonly correction2: number;
}

/** Formula: src/optim/sgd.ts. State: [v] with momentum, none without. */
const sgd: Rule<SgdNumbers> = {
  example: { learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  update({ learningRate, momentum, nesterov, weightDecay }, w, g, [velocity]) {
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
  },
};

/** Formula: src/optim/adamw.ts. State: [m, v]. */
const adamw: Rule<AdamwNumbers> = {
  example: {
    learningRate: 0.1,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 0.1,
    weightDecay: 0.01,
    correction1: 0.5,
    correction2: 0.5,
  },
  update(numbers, w, g, [first, second]) {
    const { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2 } = numbers;
    for (let i = 0; i < w.length; i++) {
      const m = beta1 * first[i] + (1 - beta1) * g[i];
      const v = beta2 * second[i] + (1 - beta2) * g[i] * g[i];
      first[i] = m;
      second[i] = v;
      const step = m / correction1 / (Math.sqrt(v / correction2) + epsilon);
      w[i] -= learningRate * (step + weightDecay * w[i]);
    }
  },
};

interface DirectionNumbers {
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** Sets w to the direction u of src/optim/muon.ts. State: [v]. */
const direction: Rule<DirectionNumbers> = {
  example: { momentum: 0.9, nesterov: true },
  update({ momentum, nesterov }, w, g, [velocity]) {
    for (let i = 0; i < w.length; i++) {
      const v = momentum * velocity[i] + g[i];
      velocity[i] = v;
      w[i] = nesterov ? g[i] + momentum * v : v;
    }
  },
};

export const UPDATE_RULES = { sgd, adamw, direction };

export type RuleName = keyof typeof UPDATE_RULES;

/** The numbers of a rule: `learningRate` is η, `weightDecay` is λ. */
export type NumbersOf<Name extends RuleName> = (typeof UPDATE_RULES)[Name]['example'];

/** Name of a rule and its numbers for one step. */
export type UpdateRule = { [Name in RuleName]: { readonly kind: Name } & NumbersOf<Name> }[RuleName];

/** An example of every rule. */
export const EXAMPLE_RULES = Object.entries(UPDATE_RULES).map(
  ([kind, { example }]) => ({ kind, ...example }) as UpdateRule,
);

/** Applies a rule to plain arrays. */
export function update(rule: UpdateRule, w: Values, g: Values, state: readonly Values[]): void {
  // TypeScript cannot tell that the name and the numbers of a rule belong together.
  (UPDATE_RULES[rule.kind] as Rule<UpdateRule>).update(rule, w, g, state);
}
