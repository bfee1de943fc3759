import type { NumbersOf, RuleName, UpdateRule } from '../../update-rules.ts';
import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { f32x4, i32, type V128, v128 } from '../assembler/instructions.ts';
import { type Access, vectorised } from './kernel.ts';

/** A piece of a gradient and of the parameter that it updates: addresses of `count` numbers of each. */
export interface Piece {
  /** The parameter. */
  readonly target: Local<'i32'>;
  /** State of the rule; 0 for an unused tensor. */
  readonly state: readonly [Local<'i32'>, Local<'i32'>];
  readonly gradient: Local<'i32'>;
  readonly count: Local<'i32'>;
  /** Factor of the gradient, in all four lanes. */
  readonly scale: Local<'v128'>;
}

/** Implementation of an update rule in this backend. */
interface RuleKernel<Numbers, Name extends string = string> {
  /** Numbers that the kernel reads, in this order, each a float32. */
  readonly numbers: Readonly<Record<Name, (rule: Numbers) => number>>;
  /** Emits the code that updates a piece of a parameter; every number is in all four lanes. */
  write(f: FunctionBuilder, piece: Piece, numbers: Readonly<Record<Name, Local<'v128'>>>): void;
}

/** Smaller values are flushed to 0: a decaying momentum would end in denormal numbers, which cost a hundred cycles each. */
const NEGLIGIBLE = 1e-30;

/** Formula: src/optim/sgd.ts. */
const sgd: RuleKernel<NumbersOf<'sgd'>, 'learningRate' | 'weightDecay' | 'momentum' | 'nesterov'> = {
  numbers: {
    learningRate: (rule) => rule.learningRate,
    weightDecay: (rule) => rule.weightDecay,
    momentum: (rule) => rule.momentum,
    nesterov: (rule) => (rule.nesterov ? 1 : 0),
  },
  write(f, { target, state: [velocity], gradient, count, scale }, { learningRate, weightDecay, momentum, nesterov }) {
    const isNesterov = f.local('v128', f32x4.lt(f32x4.splat(0), nesterov));
    const w = f.local('v128');
    const g = f.local('v128');
    const v = f.local('v128');
    const decayed = (i: Local<'i32'>, { load }: Access) => {
      f.set(w, load(i32.add(target, i)));
      f.set(g, f32x4.add(f32x4.mul(load(i32.add(gradient, i)), scale), f32x4.mul(weightDecay, w)));
    };
    f.if(
      i32.eqz(velocity),
      () =>
        vectorised(f, count, (i, access) => {
          decayed(i, access);
          access.store(i32.add(target, i), f32x4.sub(w, f32x4.mul(learningRate, g)));
        }),
      () =>
        vectorised(f, count, (i, access) => {
          decayed(i, access);
          f.set(v, flushed(f, f32x4.add(f32x4.mul(momentum, access.load(i32.add(velocity, i))), g)));
          access.store(i32.add(velocity, i), v);
          const step = v128.bitselect(f32x4.add(g, f32x4.mul(momentum, v)), v, isNesterov);
          access.store(i32.add(target, i), f32x4.sub(w, f32x4.mul(learningRate, step)));
        }),
    );
  },
};

type AdamwNumber =
  | 'learningRate'
  | 'weightDecay'
  | 'beta1'
  | 'rest1'
  | 'beta2'
  | 'rest2'
  | 'epsilon'
  | 'correction1'
  | 'correction2';

/** Formula: src/optim/adamw.ts. */
const adamw: RuleKernel<NumbersOf<'adamw'>, AdamwNumber> = {
  numbers: {
    learningRate: (rule) => rule.learningRate,
    weightDecay: (rule) => rule.weightDecay,
    beta1: (rule) => rule.beta1,
    rest1: (rule) => 1 - rule.beta1,
    beta2: (rule) => rule.beta2,
    rest2: (rule) => 1 - rule.beta2,
    epsilon: (rule) => rule.epsilon,
    correction1: (rule) => rule.correction1,
    correction2: (rule) => rule.correction2,
  },
  write(f, { target, state: [first, second], gradient, count, scale }, numbers) {
    const { learningRate, weightDecay, beta1, rest1, beta2, rest2, epsilon, correction1, correction2 } = numbers;
    const w = f.local('v128');
    const g = f.local('v128');
    const m = f.local('v128');
    const v = f.local('v128');
    vectorised(f, count, (i, { load, store }) => {
      f.set(w, load(i32.add(target, i)));
      f.set(g, f32x4.mul(load(i32.add(gradient, i)), scale));
      f.set(m, flushed(f, f32x4.add(f32x4.mul(beta1, load(i32.add(first, i))), f32x4.mul(rest1, g))));
      const square = f32x4.mul(f32x4.mul(rest2, g), g);
      f.set(v, flushed(f, f32x4.add(f32x4.mul(beta2, load(i32.add(second, i))), square)));
      store(i32.add(first, i), m);
      store(i32.add(second, i), v);
      const root = f32x4.add(f32x4.sqrt(f32x4.div(v, correction2)), epsilon);
      const step = f32x4.div(f32x4.div(m, correction1), root);
      const move = f32x4.mul(learningRate, f32x4.add(step, f32x4.mul(weightDecay, w)));
      store(i32.add(target, i), f32x4.sub(w, move));
    });
  },
};

/** Formula: src/optim/muon.ts. */
const direction: RuleKernel<NumbersOf<'direction'>, 'momentum' | 'nesterov'> = {
  numbers: {
    momentum: (rule) => rule.momentum,
    nesterov: (rule) => (rule.nesterov ? 1 : 0),
  },
  write(f, { target, state: [velocity], gradient, count, scale }, { momentum, nesterov }) {
    const isNesterov = f.local('v128', f32x4.lt(f32x4.splat(0), nesterov));
    const g = f.local('v128');
    const v = f.local('v128');
    vectorised(f, count, (i, { load, store }) => {
      f.set(g, f32x4.mul(load(i32.add(gradient, i)), scale));
      f.set(v, flushed(f, f32x4.add(f32x4.mul(momentum, load(i32.add(velocity, i))), g)));
      store(i32.add(velocity, i), v);
      store(i32.add(target, i), v128.bitselect(f32x4.add(g, f32x4.mul(momentum, v)), v, isNesterov));
    });
  },
};

const RULE_KERNELS: { readonly [Name in RuleName]: RuleKernel<NumbersOf<Name>> } = { sgd, adamw, direction };

export const RULE_NAMES = Object.keys(RULE_KERNELS) as RuleName[];

/** Emits the code of a rule. @param load loads the rule's i-th number into all four lanes. */
export function writeRule(f: FunctionBuilder, name: RuleName, piece: Piece, load: (i: number) => V128): void {
  const kernel = RULE_KERNELS[name];
  const numbers = Object.keys(kernel.numbers).map((number, i) => [number, f.local('v128', load(i))]);
  kernel.write(f, piece, Object.fromEntries(numbers));
}

/** Numbers of a rule, in the order in which its kernel reads them. */
export function numbersOf(rule: UpdateRule): number[] {
  // TypeScript cannot tell that the name and the numbers of a rule belong together.
  const { numbers } = RULE_KERNELS[rule.kind] as RuleKernel<UpdateRule>;
  return Object.values(numbers).map((read) => read(rule));
}

/** Replaces x by 0 where |x| is negligible; NaN stays. */
function flushed(f: FunctionBuilder, x: V128): V128 {
  const value = f.local('v128', x);
  return v128.andnot(value, f32x4.lt(f32x4.abs(value), f32x4.splat(NEGLIGIBLE)));
}
