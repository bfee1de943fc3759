import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Memory, reserve } from '../../../src/backends/wasm/memory.ts';
import { UserError } from '../../../src/errors.ts';

/** A range of bytes that a memory has handed out, and what was written to it. */
interface Held {
  readonly address: number;
  readonly bytes: number;
  readonly mark: number;
  readonly owner: number;
  readonly isKept: boolean;
}

const OPERATION = fc.record({
  owner: fc.nat({ max: 2 }),
  kind: fc.constantFrom('allocate', 'allocate', 'allocate', 'keep', 'reset'),
  bytes: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 1_000_000 })),
});

describe('Memory', () => {
  it.each([
    { isShared: true, owners: 3 },
    { isShared: false, owners: 1 },
  ])('gives each owner zeroed bytes of its own: %o', ({ isShared, owners }) => {
    const space = reserve(isShared);
    const bytesAt = ({ address, bytes }: Held) => new Uint8Array(space.wasm.buffer, address, bytes);
    const run = (operations: readonly { owner: number; kind: string; bytes: number }[]) => {
      const memories = Array.from({ length: owners }, () => new Memory(space));
      let held: Held[] = [];
      let mark = 0;
      for (const { kind, bytes, ...operation } of operations) {
        const owner = operation.owner % owners;
        if (kind === 'reset') {
          memories[owner].reset();
          held = held.filter((range) => range.owner !== owner || range.isKept);
          continue;
        }
        const isKept = kind === 'keep';
        const address = isKept ? memories[owner].keep(bytes) : memories[owner].allocate(bytes);
        mark = (mark % 255) + 1;
        const range = { address, bytes, mark, owner, isKept };
        expect(address % 64).toBe(0);
        expect(memories[owner].bytes.length).toBeGreaterThanOrEqual(address + bytes);
        expect(bytesAt(range).every((byte) => byte === 0)).toBe(true);
        bytesAt(range).fill(mark);
        held.push(range);
      }
      for (const range of held) expect(bytesAt(range).every((byte) => byte === range.mark)).toBe(true);
      for (const memory of memories) memory.reset();
    };
    fc.assert(fc.property(fc.array(OPERATION, { maxLength: 40 }), run), { numRuns: 40, seed: 1 });
  });

  it('takes no more room for what has been given back, whoever takes it next', () => {
    const space = reserve(true);
    const [one, other] = [new Memory(space), new Memory(space)];
    one.keep(100);
    other.keep(100);
    const sizes = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const memory = [one, other][round % 2];
      memory.allocate(1000 + round);
      memory.allocate(3e6 - 2e4 * round);
      memory.reset();
      sizes.add(space.wasm.buffer.byteLength);
    }
    expect(sizes.size).toBe(1);
  });

  it('hands out neighbouring bytes while nobody else allocates', () => {
    const memory = new Memory(reserve(true));
    const first = memory.allocate(64);
    expect([1e6, 3e6, 64].map((bytes) => memory.allocate(bytes) - first)).toEqual([64, 1_000_064, 4_000_064]);
  });

  it('is full for everyone, until somebody gives memory back', () => {
    const space = reserve(true);
    const [one, other] = [new Memory(space), new Memory(space)];
    // Never written to, so it takes no physical memory.
    one.allocate(4.2e9);
    expect(() => other.allocate(1.2e8)).toThrow(UserError);
    expect(() => other.allocate(1.2e8)).toThrow(/out of memory: 120 MB more are needed, 4,200 MB of at most 4,295 MB/);
    expect(other.allocate(5e7)).toBeGreaterThan(0);
    one.reset();
    expect(other.allocate(1.2e8)).toBeGreaterThan(0);
  });

  it('is found by a backend that was opened before another made it larger', () => {
    const space = reserve(true);
    const [early, late] = [new Memory(space), new Memory(space)];
    const address = late.allocate(5e6);
    late.bytes[address] = 7;
    expect(early.allocate(64)).not.toBe(address);
    expect(new Memory(space).bytes[address]).toBe(7);
  });
});
