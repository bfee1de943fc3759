import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FunctionBuilder,
  type Local,
  ModuleBuilder,
  signed,
  unsigned,
} from '../../../../src/backends/wasm/assembler/assembler.ts';
import { f32, type f32x4, i32, v128 } from '../../../../src/backends/wasm/assembler/instructions.ts';
import { exp, log, tanh } from '../../../../src/backends/wasm/kernels/functions.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

/** Assembles and compiles one function of two integers. */
function compiled(
  write: (f: FunctionBuilder, a: Local<'i32'>, b: Local<'i32'>) => void,
): (a: number, b: number) => number {
  const module = new ModuleBuilder();
  module.function(['i32', 'i32'], write, { name: 'main', result: 'i32' });
  const bytes = module.encode({ initialPages: 1, maximumPages: 1, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, base: 0 } });
  return instance.exports.main as (a: number, b: number) => number;
}

describe('LEB128', () => {
  it('matches the examples of the specification', () => {
    expect([unsigned(0), unsigned(127), unsigned(128), unsigned(624485)]).toEqual([
      [0],
      [127],
      [0x80, 1],
      [0xe5, 0x8e, 0x26],
    ]);
    expect([signed(0n), signed(-1n), signed(64n), signed(-123456n)]).toEqual([
      [0],
      [0x7f],
      [0xc0, 0],
      [0xc0, 0xbb, 0x78],
    ]);
  });

  it('encodes every constant', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(compiled((f) => f.return(i32.const(value)))(0, 0)).toBe(value);
      }),
      { numRuns: 50 },
    );
  });
});

describe('structured code', () => {
  it('has loops, branches and variables', () => {
    // Euclid's algorithm.
    const gcd = compiled((f, a, b) => {
      const rest = f.local('i32');
      f.while(b, () => {
        f.set(rest, i32.rem_u(a, b));
        f.set(a, b);
        f.set(b, rest);
      });
      f.if(
        i32.eqz(a),
        () => f.return(i32.const(-1)),
        () => f.return(a),
      );
      f.return(i32.const(-2));
    });
    expect([gcd(1071, 462), gcd(17, 5), gcd(0, 0)]).toEqual([21, 1, -1]);
  });

  it('reads and writes memory at an offset', () => {
    const copy = compiled((f, a, b) => {
      f.do(f32.store(b, f32.mul(f32.load(a, 4), 0.5), 8));
      f.return(i32.const(0));
    });
    const floats = new Float32Array(memory.buffer);
    floats.set([1, 3, 5], 0);
    copy(0, 64);
    expect(floats[16 + 2]).toBe(1.5);
  });
});

describe('elementary functions', () => {
  /** The largest relative error over 20,000 numbers from `low` to `high`. */
  function largestError(
    write: (f: FunctionBuilder, x: Local<'v128'>) => Parameters<typeof f32x4.abs>[0],
    exact: (x: number) => number,
    [low, high]: [number, number],
  ): number {
    const run = compiled((f, from, to) => {
      const x = f.local('v128', v128.load(from));
      f.do(v128.store(to, write(f, x)));
      f.return(i32.const(0));
    });
    const floats = new Float32Array(memory.buffer);
    let error = 0;
    const count = 20_000;
    for (let i = 0; i < count; i += 4) {
      for (let lane = 0; lane < 4; lane++) floats[lane] = low + ((high - low) * (i + lane)) / count;
      run(0, 16);
      for (let lane = 0; lane < 4; lane++) {
        const expected = exact(floats[lane]);
        error = Math.max(error, Math.abs(floats[4 + lane] - expected) / Math.abs(expected || 1));
      }
    }
    return error;
  }

  it('are accurate to float32 rounding', () => {
    expect(largestError((f, x) => exp(f, x), Math.exp, [-87, 88])).toBeLessThan(3e-7);
    expect(largestError((f, x) => log(f, x), Math.log, [1, 20])).toBeLessThan(3e-7);
    expect(largestError((f, x) => log(f, x), Math.log, [1, 1e30])).toBeLessThan(3e-7);
    expect(largestError(tanh, Math.tanh, [-10, 10])).toBeLessThan(4e-7);
    expect(largestError(tanh, Math.tanh, [-0.3, 0.3])).toBeLessThan(4e-6);
  });
});
