import type { Random } from '../../src/random.ts';

/** Integers at the edges of the types that files are made of. */
const EXTREMES = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, -1n, 1n << 62n];
/** Pieces of the texts among the inputs, and what tends to confuse their readers. */
const WORDS = [
  '-1',
  '1e999',
  'null',
  '[]',
  '{}',
  '""',
  '__proto__',
  'NaN',
  '\n',
  '\0',
  '\u00ff',
  ',',
  '(',
  ')',
  '=',
  '*',
];

/** A damaged copy: one to three bits flipped, bytes overwritten or inserted, ranges removed or repeated, or the end cut off. */
export function mutate(input: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let n = random.integer(3); n >= 0; n--) bytes = MUTATIONS[random.integer(MUTATIONS.length)](bytes, random);
  return bytes;
}

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    if (bytes.length > 0) bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    return bytes;
  },
  (bytes, random) => splice(bytes, random, anInteger(random), true),
  (bytes, random) => splice(bytes, random, anInteger(random), false),
  (bytes, random) => splice(bytes, random, Buffer.from(WORDS[random.integer(WORDS.length)]), false),
  (bytes, random) => bytes.subarray(0, random.integer(bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = aRange(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const [from, to] = aRange(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
];

function splice(bytes: Buffer, random: Random, inserted: Uint8Array, overwrites: boolean): Buffer {
  const at = random.integer(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(overwrites ? at + inserted.length : at)]);
}

/** An extreme integer in 1, 2, 4 or 8 bytes, in either order. */
function anInteger(random: Random): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, EXTREMES[random.integer(EXTREMES.length)]));
  const cut = bytes.subarray(0, 1 << random.integer(4));
  return random.integer(2) === 0 ? cut : cut.reverse();
}

function aRange(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.integer(bytes.length + 1);
  return [from, Math.min(bytes.length, from + 1 + random.integer(64))];
}
