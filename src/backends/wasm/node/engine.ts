import v8 from 'node:v8';
import { ModuleBuilder } from '../assembler/assembler.ts';
import { f32x4, i32, i32x4, v128 } from '../assembler/instructions.ts';

/** The WebAssembly features of this JavaScript engine. */
export interface Engine {
  readonly simd: boolean;
  /** Fused multiply-add, part of relaxed SIMD. */
  readonly fma: boolean;
  /** Whether products of bytes, part of relaxed SIMD too, may be faster than those of int16. */
  readonly int8: boolean;
  /** Memory shared between threads. */
  readonly threads: boolean;
  /** Whether V8 is asked to fuse pairs of 128-bit operations into 256-bit ones. */
  readonly revectorize: boolean;
  /** The V8 flags that were set for this process. */
  readonly flags: readonly string[];
}

const RELAXED_SIMD = '--experimental-wasm-relaxed-simd';
/** 256-bit vectors, and what they require. The optimising compiler fuses them, so it must compile every function from the
 *  start, or the self-test would test other code. Speculative inlining of indirect calls, and deoptimisation, fail for
 *  functions that have never run unoptimised. */
const REVECTORIZE = [
  '--experimental-wasm-revectorize',
  '--no-liftoff',
  '--no-wasm-inlining-call-indirect',
  '--no-wasm-deopt',
];

/** Node versions whose V8 has these flags and was tested to compile the kernels correctly with them. Others are not tried,
 *  because V8 prints a warning about an unknown flag. */
const REVECTORIZE_NODE_VERSIONS = [24, 25, 26];

/** The first versions of Node whose V8 has relaxed SIMD without a flag, and uses the instructions of processors for products of
 *  bytes. */
const [FIRST_WITH_RELAXED_SIMD, FIRST_WITH_FAST_BYTES] = [22, 24];

/** Detects the features of the engine. If `v8Flags` allows, it first sets V8 flags: for relaxed SIMD, if this version needs one,
 *  and for 256-bit vectors, if it supports them. They hold for backends of any precision: others of the process may have
 *  another one. */
export function detectEngine({ v8Flags }: { v8Flags: boolean }): Engine {
  const flags: string[] = [];
  const set = (...wanted: string[]) => {
    for (const flag of wanted) v8.setFlagsFromString(flag);
    flags.push(...wanted);
  };
  const major = Number(process.versions.node.split('.')[0]);
  if (v8Flags && major < FIRST_WITH_RELAXED_SIMD) set(RELAXED_SIMD);
  const revectorize = v8Flags && process.arch === 'x64' && REVECTORIZE_NODE_VERSIONS.includes(major);
  if (revectorize) set(...REVECTORIZE);
  return {
    simd: isValid(simdModule),
    fma: isValid(fmaModule),
    int8: major >= FIRST_WITH_FAST_BYTES && isValid(int8Module),
    threads: typeof SharedArrayBuffer === 'function' && isValid((module) => module.function([], () => {}), true),
    revectorize,
    flags,
  };
}

/** Switches 256-bit vectors off again, after a self-test failed with them. */
export function withoutRevectorize(engine: Engine): Engine {
  if (engine.flags.includes(REVECTORIZE[0])) v8.setFlagsFromString('--no-experimental-wasm-revectorize');
  return { ...engine, revectorize: false, flags: engine.flags.filter((flag) => flag !== REVECTORIZE[0]) };
}

/** Whether the engine has WebAssembly at all: `--jitless` removes it. */
export function hasWebAssembly(): boolean {
  return typeof WebAssembly === 'object';
}

function isValid(write: (module: ModuleBuilder) => void, shared = false): boolean {
  if (!hasWebAssembly()) return false;
  const module = new ModuleBuilder();
  write(module);
  return WebAssembly.validate(module.encode({ initialPages: 1, maximumPages: 1, shared }));
}

function simdModule(module: ModuleBuilder): void {
  module.function([], (f) => f.do(v128.store(i32.const(0), v128.load(i32.const(0)))));
}

function fmaModule(module: ModuleBuilder): void {
  module.function([], (f) => {
    const x = f.local('v128');
    f.set(x, f32x4.relaxed_madd(x, x, x));
  });
}

function int8Module(module: ModuleBuilder): void {
  module.function([], (f) => {
    const x = f.local('v128');
    f.set(x, i32x4.relaxed_dot_i8x16_i7x16_add_s(x, x, x));
  });
}
