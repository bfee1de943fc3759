import type { FunctionBuilder, FunctionHandle, ModuleBuilder } from '../assembler/assembler.ts';
import { call, f32x4, i32, v128 } from '../assembler/instructions.ts';
import { vectorised } from './kernel.ts';
import { type Piece, RULE_NAMES, writeRule } from './update-rules.ts';

// Sinks (see Sink in backend.ts) store a result, add it, or turn it into an update. A kernel computes a piece of a gradient
// in scratch memory and hands it to the sink while it is still in the cache.

/** Kinds of sinks; the index of a kind is its code. */
export const SINK_KINDS = ['store', 'add', ...RULE_NAMES] as const;

/** Byte offsets of a sink in memory. `kind` is a code; `target` and the two of `state` are addresses, 0 for none (all i32).
 *  The numbers of the update rule start at `numbers`, each an f32. */
export const SINK = { kind: 0, target: 4, state: 8, numbers: 16 } as const;
export const SINK_BYTES = 64;

/** (sink, first element, gradient, count, scale): passes the `count` numbers at the address `gradient`, times `scale`, to a
 *  sink. */
export function addSink(module: ModuleBuilder): FunctionHandle {
  const types = ['i32', 'i32', 'i32', 'i32', 'f32'] as const;
  const functions = SINK_KINDS.map((kind) =>
    module.function(types, (f, sink, first, gradient, count, scale) => {
      const shift = f.local('i32', i32.shl(first, 2));
      const at = (offset: number) => f.local('i32', i32.add(i32.load(sink, offset), shift));
      // The address of an unused state stays 0.
      const state = (offset: number) => {
        const address = f.local('i32', i32.load(sink, offset));
        f.if(address, () => f.set(address, i32.add(address, shift)));
        return address;
      };
      const piece = {
        target: at(SINK.target),
        state: [state(SINK.state), state(SINK.state + 4)] as const,
        gradient,
        count,
        scale: f.local('v128', f32x4.splat(scale)),
      };
      if (kind === 'store') writeStore(f, piece);
      else if (kind === 'add') writeAdd(f, piece);
      else writeRule(f, kind, piece, (i) => v128.load32_splat(sink, SINK.numbers + 4 * i));
    }),
  );
  return module.function(types, (f, sink, first, gradient, count, scale) => {
    const kind = f.local('i32', i32.load(sink, SINK.kind));
    for (const [code, handle] of functions.entries()) {
      f.if(i32.eq(kind, code), () => f.do(call(handle, sink, first, gradient, count, scale)));
    }
  });
}

function writeStore(f: FunctionBuilder, { target, gradient, count, scale }: Piece): void {
  vectorised(f, count, (i, { load, store }) => store(i32.add(target, i), f32x4.mul(load(i32.add(gradient, i)), scale)));
}

function writeAdd(f: FunctionBuilder, { target, gradient, count, scale }: Piece): void {
  vectorised(f, count, (i, { load, store }) => {
    store(i32.add(target, i), f32x4.add(load(i32.add(target, i)), f32x4.mul(load(i32.add(gradient, i)), scale)));
  });
}
