import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NdArray, numpyGlobals } from '../../../../src/dataset/formats/python/numpy.ts';
import { unpickle } from '../../../../src/dataset/formats/python/pickle.ts';
import { type PickleValue, Tuple } from '../../../../src/dataset/formats/python/pickle-values.ts';
import { DataError } from '../../../../src/errors.ts';
import { latin1, uint32 } from '../../../support/cifar10-versions.ts';

/** Written by Python 2.7, Python 3 and numpy 2: see pickles.py. */
const FIXTURE = JSON.parse(readFileSync('test/fixtures/pickles.json', 'utf8')) as {
  labels: number[];
  images: number[][];
  pickles: Record<string, string>;
};
const PICKLES = Object.entries(FIXTURE.pickles).map(([name, data]) => [name, Buffer.from(data, 'base64')] as const);

function load(bytes: Uint8Array): PickleValue {
  return unpickle(bytes, numpyGlobals(), 'the file');
}

/** Converts a value for comparison, so that strings and bytes are equal. */
function plain(value: PickleValue): unknown {
  if (value instanceof Uint8Array) return latin1(Buffer.from(value).toString('latin1')).toString('latin1');
  if (value instanceof Tuple) return { tuple: value.items.map(plain) };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return { dict: [...value].map(([key, item]) => [key, plain(item)]) };
  return value;
}

function refusal(bytes: Uint8Array): string {
  try {
    load(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

test.each(PICKLES)('a pickle written by Python is decoded: %s', (_, bytes) => {
  const dict = load(bytes) as Map<string, PickleValue>;
  expect([...dict.keys()].sort()).toEqual(['batch_label', 'data', 'filenames', 'labels']);
  expect(dict.get('labels')).toEqual(FIXTURE.labels);
  expect(plain(dict.get('batch_label')!)).toBe('training batch 1 of 5');
  expect((plain(dict.get('filenames')!) as string[])[3]).toBe('leptodactylus_s_000003.png');
  const data = dict.get('data') as NdArray;
  expect(data).toBeInstanceOf(NdArray);
  expect(data.shape).toEqual([4, 6]);
  expect([...data.rows()]).toEqual(FIXTURE.images.flat());
});

describe('a pickle is refused that', () => {
  const longText = Buffer.concat([latin1('X'), uint32(3 << 20), Buffer.alloc(3 << 20, 'a')]);
  test.each([
    ['calls a system function', "cos\nsystem\n(S'echo'\ntR.", 'names os.system,'],
    ['names one on the stack', '\x80\x04\x8c\x08builtins\x8c\x04eval\x93.', 'names builtins.eval,'],
    ['names one with control characters', 'c\x1b[2J\nx\n.', 'names \\u001b[2J.x,'],
    [
      'names an attribute of a known global',
      '\x80\x04\x8c\x05numpy\x8c\x0fndarray.__new__\x93.',
      'names numpy.ndarray.__new__,',
    ],
    ['creates an instance with INST', "(S'echo'\nios\nsystem\n.", 'names os.system (INST),'],
    ['creates an instance of a known global with INST', '(inumpy\ndtype\n.', 'names numpy.dtype (INST),'],
    ['creates an instance with OBJ', '(cnumpy\nndarray\no.', 'the opcode OBJ,'],
    ['creates an instance with NEWOBJ', '\x80\x02cnumpy\nndarray\n)\x81.', 'the opcode NEWOBJ,'],
    ['uses an extension', '\x80\x02\x82\x01.', 'the opcode EXT1,'],
    ['uses a persistent object', 'P1\n.', 'the opcode PERSID,'],
    ['has an unknown opcode', '\xfe.', 'is not a pickle or is damaged: byte 254 is not an opcode'],
    ['calls a type that may only be named', 'cnumpy\nndarray\n)R.', 'calls numpy.ndarray,'],
    ['calls plain data', '])R.', 'calls a value that is not a global'],
    ['sets the state of plain data', ']}b.', 'sets the state'],
    ['has an array of objects', 'cnumpy\ndtype\n(U\x02O8K\0K\x01tR.', 'the dtype "O8", wanted u1'],
    [
      'has another encoding',
      'c_codecs\nencode\n(X\x01\0\0\0aX\x03\0\0\0hextR.',
      'constructs bytes in an unsupported way',
    ],
    ['has a list as a key', '}(]K\x01u.', 'a dict key that is not a string'],
    ['has a key without a value', '}(U\x01au.', 'has no value'],
    ['reads an unset memo entry', 'h\x07.', 'memo entry 7'],
    ['reads a huge memo index', 'j\xff\xff\xff\xff.', 'memo entry 4294967295'],
    ['pops from an empty stack', '.', 'pops a value that it never pushed'],
    ['pops a mark as a value', '(.', 'pops a value that it never pushed'],
    ['has no mark', ']e.', 'a mark that it never set'],
    ['is of a later protocol', '\x80\x06N.', 'protocol 6, wanted 0 to 5'],
    ['claims 4 GB of text', 'X\xff\xff\xff\xffabc', 'refers to 4294967295 more bytes, but has 3'],
    ['claims 2^63 bytes of text', '\x8d\0\0\0\0\0\0\0\x80abc', 'refers to 9223372036854776000 more bytes, but has 3'],
    ['claims 2^63 bytes', '\x96\0\0\0\0\0\0\0\x80abc', 'but has 3'],
    ['claims a frame of 2^56 bytes', '\x80\x04\x95\0\0\0\0\0\0\0\x01N.', 'but has 2'],
    ['has an integer of 2 GB', '\x8b\0\0\0\x80abc', 'an integer of 2147483648 bytes, wanted at most 8'],
    ['has a huge integer', `I${'9'.repeat(150)}\n.`, 'wanted an integer'],
    ['has an integer beyond 2^53', 'I9007199254740993\n.', 'which is too large'],
    ['has an unterminated line', 'I1', 'ends within a line'],
    ['has a string without quotes', 'Sabc\n.', 'no quotes'],
    ['has a string that ends in an escape', "S'a\\'\n.", 'unknown escape'],
    ['has a string that is not UTF-8', 'X\x01\0\0\0\xff.', 'not UTF-8'],
    ['is nested deeply', ']'.repeat(300_000), 'more than 250,000 operations'],
    ['has too many marks', '('.repeat(300_000), 'more than 250,000 operations'],
    ['memoizes a value too often', `N${'r\0\0\0\x01'.repeat(300_000)}`, 'more than 250,000 operations'],
  ])('%s', (_, pickle, reason) => {
    const message = refusal(latin1(pickle));
    expect(message).toContain(reason);
    expect(message).toMatch(/^the file .*Nothing in it was executed\. Replace it/s);
  });

  test('encodes one string too often', () => {
    const encode = latin1('c_codecs\nencode\n(h\0X\x06\0\0\0latin1tR');
    const bomb = Buffer.concat([longText, latin1('q\0'), ...Array(1_000).fill(encode), latin1('.')]);
    expect(refusal(bomb)).toContain('creates more than 67108864 bytes');
  });

  test('is truncated at any byte', () => {
    for (const [, bytes] of PICKLES) {
      for (let length = 0; length < bytes.length; length++) refusal(bytes.subarray(0, length));
    }
  });
});

test('recursive and shared values are decoded without being expanded', () => {
  expect(load(latin1('\x80\x02]q\0h\0a.'))).toHaveLength(1);
  const doubled = `\x80\x02]${'q\0h\0\x86'.repeat(50_000)}.`;
  expect(load(latin1(doubled))).toBeInstanceOf(Tuple);
});

test('a modified pickle gives plain data or a DataError, and nothing else', () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'remove') });
  const pickle = fc.constantFrom(...PICKLES.map(([, bytes]) => bytes));
  fc.assert(
    fc.property(pickle, fc.array(change, { minLength: 1, maxLength: 4 }), (original, changes) => {
      const bytes = [...original];
      for (const { at, byte, kind } of changes) {
        bytes.splice(at % bytes.length, kind === 'insert' ? 0 : 1, ...(kind === 'remove' ? [] : [byte]));
      }
      try {
        load(Uint8Array.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
    { numRuns: 3_000 },
  );
});

// A pickler that can write a value with any suitable opcode.
/** Returns an integer from 0 to count − 1. */
type Choose = (count: number) => number;

function pickled(value: unknown, choose: Choose): Buffer {
  if (value === null) return latin1('N');
  if (typeof value === 'boolean') return latin1([value ? '\x88' : '\x89', `I0${Number(value)}\n`][choose(2)]);
  if (typeof value === 'number') return pickledInteger(value, choose);
  if (typeof value === 'string') return pickledText(value, choose);
  if (Array.isArray(value)) {
    const items = value.map((item) => pickled(item, choose));
    const marked = Buffer.concat([latin1('('), ...items]);
    return [
      () => Buffer.concat([marked, latin1('l')]),
      () => Buffer.concat([latin1(']'), marked, latin1('e')]),
      () => Buffer.concat([latin1(']'), ...items.flatMap((item) => [item, latin1('a')])]),
    ][choose(3)]();
  }
  const { tuple, dict } = value as { tuple?: unknown[]; dict?: [string, unknown][] };
  if (tuple) {
    const items = tuple.map((item) => pickled(item, choose));
    if (items.length <= 3 && choose(2)) return Buffer.concat([...items, latin1(')\x85\x86\x87'[items.length])]);
    return Buffer.concat([latin1('('), ...items, latin1('t')]);
  }
  const pairs = dict!.map(([key, item]) => Buffer.concat([pickledText(key, choose), pickled(item, choose)]));
  return [
    () => Buffer.concat([latin1('('), ...pairs, latin1('d')]),
    () => Buffer.concat([latin1('}('), ...pairs, latin1('u')]),
    () => Buffer.concat([latin1('}'), ...pairs.flatMap((pair) => [pair, latin1('s')])]),
  ][choose(3)]();
}

function pickledInteger(value: number, choose: Choose): Buffer {
  const long = Buffer.alloc(8);
  long.writeBigInt64LE(BigInt(value));
  const ways = [
    latin1(`I${value}\n`),
    latin1(`L${value}L\n`),
    Buffer.concat([latin1('\x8a\x08'), long]),
    Buffer.concat([latin1('\x8b\x08\0\0\0'), long]),
  ];
  if (value >= 0 && value < 256) ways.push(Buffer.from([0x4b, value]));
  if (value >= 0 && value < 65_536) ways.push(Buffer.from([0x4d, value & 255, value >> 8]));
  if (value === (value | 0)) ways.push(Buffer.concat([latin1('J'), uint32(value >>> 0)]));
  return ways[choose(ways.length)];
}

/** Pickles a string as text or, if it is Latin-1, as bytes. */
function pickledText(value: string, choose: Choose): Buffer {
  const utf8 = Buffer.from(value);
  const raw = value.replace(/[\\\n\r\0]|[^\0-\xff]/gu, (character) => {
    const code = character.codePointAt(0)!;
    const hex = code.toString(16);
    return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
  const high = latin1('\0\0\0\0');
  const ways = [
    latin1(`V${raw}\n`),
    Buffer.concat([latin1('X'), uint32(utf8.length), utf8]),
    Buffer.concat([latin1('\x8d'), uint32(utf8.length), high, utf8]),
  ];
  if (utf8.length < 256) ways.push(Buffer.concat([Buffer.from([0x8c, utf8.length]), utf8]));
  if (/^[\0-\xff]*$/.test(value)) {
    const bytes = latin1(value);
    for (const opcode of 'TB') ways.push(Buffer.concat([latin1(opcode), uint32(bytes.length), bytes]));
    for (const opcode of 'UC') ways.push(Buffer.concat([latin1(opcode), Buffer.from([bytes.length]), bytes]));
    for (const opcode of '\x8e\x96') ways.push(Buffer.concat([latin1(opcode), uint32(bytes.length), high, bytes]));
    const escaped = [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    ways.push(latin1(`S'${escaped}'\n`));
  }
  return ways[choose(ways.length)];
}

test('plain data written with any opcodes is decoded unchanged', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.nat(300)),
      text,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.record({ tuple: fc.array(tie('value'), { maxLength: 5 }) }),
      fc.record({ dict: fc.uniqueArray(fc.tuple(text, tie('value')), { maxLength: 5, selector: ([key]) => key }) }),
    ),
  }));
  fc.assert(
    fc.property(value, fc.infiniteStream(fc.nat(1_000)), (written, stream) => {
      const choose = (count: number) => stream.next().value! % count;
      expect(plain(load(Buffer.concat([pickled(written, choose), latin1('.')])))).toEqual(written);
    }),
    { numRuns: 500 },
  );
});
