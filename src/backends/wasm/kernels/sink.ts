import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from '../assembler/assembler.ts';
import { call, f32x4, i32, type V128, v128 } from '../assembler/instructions.ts';
import { type Access, vectorised } from './kernel.ts';

// Where a result goes (see Sink in backend.ts). A kernel makes a piece of a gradient in memory of its own, which is in
// the cache still when the sink takes it: stored, added, or turned into an update.

export const SINK_KIND = { store: 0, add: 1, sgd: 2, adamw: 3 } as const;

/** A sink in memory: this many words, in this order. Addresses are i32, the others f32. `state` are the addresses of
 *  what the rule remembers, 0 for none; `nesterov` is a mask, all ones or 0; rest1 and rest2 are 1 − β₁ and 1 − β₂. */
export const SINK = {
  kind: 0,
  target: 4,
  state0: 8,
  state1: 12,
  learningRate: 16,
  weightDecay: 20,
  momentum: 24,
  nesterov: 28,
  beta1: 32,
  rest1: 36,
  beta2: 40,
  rest2: 44,
  epsilon: 48,
  correction1: 52,
  correction2: 56,
} as const;
export const SINK_BYTES = 64;

/** What is smaller is taken for 0: a momentum that dies away would end in denormal numbers, which cost a hundred cycles
 *  each. */
const NEGLIGIBLE = 1e-30;

/** (sink, first element, gradient, count, scale): hands `count` numbers at the address `gradient`, times a number, to a
 *  sink. */
export function addSink(module: ModuleBuilder): FunctionHandle {
  const types = ['i32', 'i32', 'i32', 'i32', 'f32'] as const;
  const branches = { store: writeStore, add: writeAdd, sgd: writeSgd, adamw: writeAdamw };
  const functions = Object.entries(branches).map(([name, write]) => {
    const handle = module.function(types, (f, sink, first, gradient, count, scale) => {
      const shift = f.local('i32', i32.shl(first, 2));
      const at = (offset: number) => f.local('i32', i32.add(i32.load(sink, offset), shift));
      write(f, {
        sink,
        target: at(SINK.target),
        state: [at(SINK.state0), at(SINK.state1)],
        gradient,
        count,
        scale: f.local('v128', f32x4.splat(scale)),
      });
    });
    return [SINK_KIND[name as keyof typeof SINK_KIND], handle] as const;
  });
  return module.function(types, (f, sink, first, gradient, count, scale) => {
    const kind = f.local('i32', i32.load(sink, SINK.kind));
    for (const [code, handle] of functions) {
      f.if(i32.eq(kind, code), () => f.do(call(handle, sink, first, gradient, count, scale)));
    }
  });
}

interface SinkLocals extends Record<'sink' | 'target' | 'gradient' | 'count', Local<'i32'>> {
  readonly state: readonly [Local<'i32'>, Local<'i32'>];
  readonly scale: Local<'v128'>;
}

function writeStore(f: FunctionBuilder, { target, gradient, count, scale }: SinkLocals): void {
  vectorised(f, count, (i, { load, store }) => store(i32.add(target, i), f32x4.mul(load(i32.add(gradient, i)), scale)));
}

function writeAdd(f: FunctionBuilder, { target, gradient, count, scale }: SinkLocals): void {
  vectorised(f, count, (i, { load, store }) => {
    store(i32.add(target, i), f32x4.add(load(i32.add(target, i)), f32x4.mul(load(i32.add(gradient, i)), scale)));
  });
}

/** The formula is in src/optim/sgd.ts. */
function writeSgd(f: FunctionBuilder, { sink, target, state: [velocity], gradient, count, scale }: SinkLocals): void {
  const { learningRate, momentum, weightDecay, nesterov } = rule(f, sink);
  const w = f.local('v128');
  const g = f.local('v128');
  const v = f.local('v128');
  const decayed = (i: Local<'i32'>, { load }: Access) => {
    f.set(w, load(i32.add(target, i)));
    f.set(g, f32x4.add(f32x4.mul(load(i32.add(gradient, i)), scale), f32x4.mul(weightDecay, w)));
  };
  f.if(
    i32.eqz(i32.load(sink, SINK.state0)),
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
        const step = v128.bitselect(f32x4.add(g, f32x4.mul(momentum, v)), v, nesterov);
        access.store(i32.add(target, i), f32x4.sub(w, f32x4.mul(learningRate, step)));
      }),
  );
}

/** The formula is in src/optim/adamw.ts. */
function writeAdamw(
  f: FunctionBuilder,
  { sink, target, state: [first, second], gradient, count, scale }: SinkLocals,
): void {
  const { learningRate, weightDecay, beta1, rest1, beta2, rest2, epsilon, correction1, correction2 } = rule(f, sink);
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
}

/** The numbers of the rule, each in all four lanes. */
function rule(f: FunctionBuilder, sink: Local<'i32'>): Readonly<Record<keyof typeof SINK, Local<'v128'>>> {
  const entries = Object.entries(SINK).map(([name, offset]) => [
    name,
    f.local('v128', v128.load32_splat(sink, offset)),
  ]);
  return Object.fromEntries(entries);
}

/** 0 where |x| is negligible; NaN stays. */
function flushed(f: FunctionBuilder, x: V128): V128 {
  const value = f.local('v128', x);
  return v128.andnot(value, f32x4.lt(f32x4.abs(value), f32x4.splat(NEGLIGIBLE)));
}
