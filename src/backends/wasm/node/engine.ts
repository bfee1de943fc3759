import v8 from 'node:v8';
import { ModuleBuilder } from '../assembler/assembler.ts';
import { f32x4, i32, v128 } from '../assembler/instructions.ts';

/** What this JavaScript engine offers to WebAssembly. */
export interface Engine {
  readonly simd: boolean;
  /** Fused multiply-add, of relaxed SIMD. */
  readonly fma: boolean;
  /** Memory that several threads see. */
  readonly threads: boolean;
  /** Whether V8 is asked to fuse pairs of 128-bit operations to 256 bits. */
  readonly revectorize: boolean;
  /** The flags of V8 that were set, for this process. */
  readonly flags: readonly string[];
}

const RELAXED_SIMD = '--experimental-wasm-relaxed-simd';
/** 256-bit vectors, and what they need: the compiler that fuses them from the start, so that the self-test sees what it
 *  makes; and neither guesses about indirect calls nor deoptimisation, which trip over functions that never ran
 *  unoptimised. */
const REVECTORIZE = [
  '--experimental-wasm-revectorize',
  '--no-liftoff',
  '--no-wasm-inlining-call-indirect',
  '--no-wasm-deopt',
];

/** Versions of Node whose V8 knows these flags and was seen to compile the kernels rightly with them. A V8 that does not
 *  know a flag prints a complaint, so newer versions are not tried. */
const REVECTORIZE_NODES = [24, 25, 26];

/** Looks at the engine, after setting flags of V8 if that is allowed: for relaxed SIMD if `wantsFma` and a flag is needed
 *  for it, and for 256-bit vectors where V8 can make them. */
export function detectEngine({ v8Flags, wantsFma }: { v8Flags: boolean; wantsFma: boolean }): Engine {
  const flags: string[] = [];
  const set = (...wanted: string[]) => {
    for (const flag of wanted) v8.setFlagsFromString(flag);
    flags.push(...wanted);
  };
  const major = Number(process.versions.node.split('.')[0]);
  if (v8Flags && wantsFma && major < 22 && !isValid(relaxedModule)) set(RELAXED_SIMD);
  const revectorize = v8Flags && process.arch === 'x64' && REVECTORIZE_NODES.includes(major);
  if (revectorize) set(...REVECTORIZE);
  return {
    simd: isValid(simdModule),
    fma: isValid(relaxedModule),
    threads: typeof SharedArrayBuffer === 'function' && isValid((module) => module.function([], () => {}), true),
    revectorize,
    flags,
  };
}

/** Undoes the flag under which a self-test failed. */
export function withoutRevectorize(engine: Engine): Engine {
  if (engine.flags.includes(REVECTORIZE[0])) v8.setFlagsFromString('--no-experimental-wasm-revectorize');
  return { ...engine, revectorize: false, flags: engine.flags.filter((flag) => flag !== REVECTORIZE[0]) };
}

function isValid(write: (module: ModuleBuilder) => void, shared = false): boolean {
  const module = new ModuleBuilder();
  write(module);
  return WebAssembly.validate(module.encode({ initialPages: 1, maximumPages: 1, shared }));
}

function simdModule(module: ModuleBuilder): void {
  module.function([], (f) => f.do(v128.store(i32.const(0), v128.load(i32.const(0)))));
}

function relaxedModule(module: ModuleBuilder): void {
  module.function([], (f) => {
    const x = f.local('v128');
    f.set(x, f32x4.relaxed_madd(x, x, x));
  });
}
