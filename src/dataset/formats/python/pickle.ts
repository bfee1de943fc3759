import { DataError } from '../../../errors.ts';
import { integer } from '../../../format.ts';
import { REPLACEMENT_ADVICE } from '../../cifar10.ts';
import { PickleMachine } from './pickle-machine.ts';
import type { PickleReader } from './pickle-reader.ts';
import { rawUnicodeEscape, stringLiteral } from './pickle-text.ts';
import { type Global, PickleError, type PickleValue, Tuple } from './pickle-values.ts';

// A pickle is a program for a small stack machine. Python imports and calls whatever a pickle names; here, names are looked
// up in a fixed table of constructors of plain data, so that a pickle can neither import nor run anything.
// Source: CPython, Lib/pickletools.py, which describes each opcode; PEP 307, 3154 and 574.

/** Limit on the number of operations, which bounds time, stack and memo. A batch of CIFAR-10 needs about 60,000 in the
 *  most verbose protocol. Depth needs no limit because values are never traversed. */
const MAX_OPERATIONS = 250_000;
const NEWEST_PROTOCOL = 5;

/** Decodes one pickle of protocol 0 to 5 that consists of dicts, lists, tuples, strings, bytes, integers and objects
 *  constructed by `globals`. Byte strings are views of `bytes` where possible, not copies.
 *  @param origin file name for error messages.
 *  @throws DataError if it is damaged, too large, or needs anything else. */
export function unpickle(bytes: Uint8Array, globals: readonly Global[], origin: string): PickleValue {
  try {
    return run(new PickleMachine(bytes, globals));
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new DataError(`${origin} ${error.message}. Nothing in it was executed. ${REPLACEMENT_ADVICE}`, {
      cause: error,
    });
  }
}

function run(machine: PickleMachine): PickleValue {
  for (let operations = 0; operations < MAX_OPERATIONS; operations++) {
    const code = machine.read.unsigned(1);
    if (code === STOP) return machine.pop();
    const operation = OPERATIONS.get(code);
    if (!operation) throw refused(code);
    operation(machine);
  }
  throw new PickleError(`has more than ${integer(MAX_OPERATIONS)} operations`);
}

const STOP = 0x2e;

type Operation = (machine: PickleMachine) => void;

const push = (value: (read: PickleReader) => PickleValue): Operation => {
  return (machine) => machine.push(value(machine.read));
};
const pushTuple = (count: number): Operation => {
  return (machine) => machine.push(new Tuple(Array.from({ length: count }, () => machine.pop()).reverse()));
};

/** Operations by opcode, with their names in pickletools. */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x80, ({ read }) => checkProtocol(read.unsigned(1))], // PROTO
  [0x95, ({ read }) => checkFrame(read)], // FRAME

  [0x4e, push(() => null)], // NONE
  [0x88, push(() => true)], // NEWTRUE
  [0x89, push(() => false)], // NEWFALSE
  [0x49, push((read) => read.decimalOrBoolean())], // INT
  [0x4a, push((read) => read.int32())], // BININT
  [0x4b, push((read) => read.unsigned(1))], // BININT1
  [0x4d, push((read) => read.unsigned(2))], // BININT2
  [0x4c, push((read) => read.decimal('L'))], // LONG
  [0x8a, push((read) => read.long(read.unsigned(1)))], // LONG1
  [0x8b, push((read) => read.long(read.unsigned(4)))], // LONG4

  [0x53, push((read) => stringLiteral(read.line()))], // STRING
  [0x54, push((read) => read.bytes(read.unsigned(4)))], // BINSTRING
  [0x55, push((read) => read.bytes(read.unsigned(1)))], // SHORT_BINSTRING
  [0x42, push((read) => read.bytes(read.unsigned(4)))], // BINBYTES
  [0x43, push((read) => read.bytes(read.unsigned(1)))], // SHORT_BINBYTES
  [0x8e, push((read) => read.bytes(read.length64()))], // BINBYTES8
  [0x96, push((read) => read.bytes(read.length64()))], // BYTEARRAY8
  [0x56, push((read) => rawUnicodeEscape(read.line()))], // UNICODE
  [0x58, push((read) => read.utf8(read.unsigned(4)))], // BINUNICODE
  [0x8c, push((read) => read.utf8(read.unsigned(1)))], // SHORT_BINUNICODE
  [0x8d, push((read) => read.utf8(read.length64()))], // BINUNICODE8

  [0x28, (machine) => machine.pushMark()], // MARK
  [0x5d, push(() => [])], // EMPTY_LIST
  [0x6c, (machine) => machine.push(machine.popToMark())], // LIST
  [0x61, (machine) => machine.append([machine.pop()])], // APPEND
  [0x65, (machine) => machine.append(machine.popToMark())], // APPENDS
  [0x7d, push(() => new Map())], // EMPTY_DICT
  [0x64, (machine) => pushDict(machine)], // DICT
  [0x73, (machine) => machine.setItems([machine.pop(), machine.pop()].reverse())], // SETITEM
  [0x75, (machine) => machine.setItems(machine.popToMark())], // SETITEMS
  [0x29, pushTuple(0)], // EMPTY_TUPLE
  [0x85, pushTuple(1)], // TUPLE1
  [0x86, pushTuple(2)], // TUPLE2
  [0x87, pushTuple(3)], // TUPLE3
  [0x74, (machine) => machine.push(new Tuple(machine.popToMark()))], // TUPLE

  [0x70, (machine) => machine.memoize(machine.read.decimal())], // PUT
  [0x71, (machine) => machine.memoize(machine.read.unsigned(1))], // BINPUT
  [0x72, (machine) => machine.memoize(machine.read.unsigned(4))], // LONG_BINPUT
  [0x94, (machine) => machine.memoize()], // MEMOIZE
  [0x67, (machine) => machine.recall(machine.read.decimal())], // GET
  [0x68, (machine) => machine.recall(machine.read.unsigned(1))], // BINGET
  [0x6a, (machine) => machine.recall(machine.read.unsigned(4))], // LONG_BINGET

  [0x63, (machine) => machine.global(machine.read.word(), machine.read.word())], // GLOBAL
  [0x69, (machine) => machine.global(machine.read.word(), `${machine.read.word()} (INST)`)], // INST, always refused
  [0x93, (machine) => stackGlobal(machine)], // STACK_GLOBAL
  [0x52, (machine) => machine.reduce()], // REDUCE
  [0x62, (machine) => machine.build()], // BUILD
]);

/** Valid opcodes that the images do not need. */
const REFUSED: Readonly<Record<number, string>> = {
  48: 'POP',
  49: 'POP_MARK',
  50: 'DUP',
  70: 'FLOAT',
  71: 'BINFLOAT',
  80: 'PERSID',
  81: 'BINPERSID',
  111: 'OBJ',
  129: 'NEWOBJ',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  146: 'NEWOBJ_EX',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
};

function refused(code: number): PickleError {
  if (REFUSED[code]) return new PickleError(`has the opcode ${REFUSED[code]}, which the images do not need`);
  return new PickleError(`is not a pickle or is damaged: byte ${code} is not an opcode`);
}

function checkProtocol(protocol: number): void {
  if (protocol <= NEWEST_PROTOCOL) return;
  throw new PickleError(`is a pickle of protocol ${protocol}, wanted 0 to ${NEWEST_PROTOCOL}`);
}

/** Checks the length of a frame, which otherwise only tells Python how much to read at a time. */
function checkFrame(read: PickleReader): void {
  read.checkLeft(read.length64());
}

function pushDict(machine: PickleMachine): void {
  const items = machine.popToMark();
  machine.push(new Map());
  machine.setItems(items);
}

function stackGlobal(machine: PickleMachine): void {
  const [name, module] = [machine.pop(), machine.pop()];
  if (typeof name !== 'string' || typeof module !== 'string') {
    throw new PickleError('names a global by a value that is not a string');
  }
  machine.global(module, name);
}
