import { DataError } from '../../errors.ts';
import { HOW_TO_MEND } from '../cifar10.ts';
import { PickleReader } from './pickle-reader.ts';
import { rawUnicodeEscape, stringLiteral } from './pickle-text.ts';
import { Built, Global, PickleError, type PickleValue, Tuple } from './pickle-values.ts';

// A pickle is a program for a small stack machine. Python's own machine imports and calls whatever a pickle names; this
// one looks names up in a fixed table of constructors of plain data, so that a pickle can neither import nor run anything.
// Source: CPython, Lib/pickletools.py, which describes each opcode; PEP 307, 3154 and 574.

/** A batch of CIFAR-10 takes some 60,000 in the wordiest protocol. This bounds the time, the stack and the memo; as
 *  values are never walked through, their depth needs no bound of its own. */
const MOST_OPERATIONS = 250_000;
const NEWEST_PROTOCOL = 5;

const MARK = Symbol('mark');

/** Reads one pickle of protocol 0 to 5 that is made of dicts, lists, tuples, texts, bytes, integers and what `globals`
 *  construct. Long bytes are not copied: they stay views of `bytes`.
 *  @param origin for messages.
 *  @throws DataError if it is damaged, too large, or asks for anything else. */
export function unpickle(bytes: Uint8Array, globals: readonly Global[], origin: string): PickleValue {
  try {
    return new Machine(bytes, globals).run();
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new DataError(`${origin} ${error.message}. Nothing of it was run. ${HOW_TO_MEND}`, { cause: error });
  }
}

class Machine {
  readonly read: PickleReader;
  readonly #globals: ReadonlyMap<string, Global>;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, globals: readonly Global[]) {
    this.read = new PickleReader(bytes);
    this.#globals = new Map(globals.map((global) => [global.name, global]));
  }

  run(): PickleValue {
    for (let operations = 0; operations < MOST_OPERATIONS; operations++) {
      const code = this.read.unsigned(1);
      if (code === STOP) return this.pop();
      const operation = OPERATIONS.get(code);
      if (!operation) throw refused(code);
      operation(this);
    }
    throw new PickleError(`has more than ${MOST_OPERATIONS.toLocaleString('en-US')} operations`);
  }

  push(value: PickleValue | typeof MARK): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK)
      throw new PickleError('is damaged: it takes a value where there is none');
    return value;
  }

  /** All values down to the last mark, which goes too. */
  popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new PickleError('is damaged: it goes back to a mark that it never set');
    const values = this.#stack.splice(mark);
    values.shift();
    return values as PickleValue[];
  }

  /** The value on top, left where it is. */
  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  memoize(key = this.#memo.size): void {
    this.#memo.set(key, this.top());
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw new PickleError(`is damaged: it recalls value ${key}, which it never kept`);
    this.push(value);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError('is damaged: it appends to what is no list');
    for (const value of values) list.push(value);
  }

  /** @param items key, value, key, value … */
  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw new PickleError('is damaged: it sets an item of what is no dict');
    if (items.length % 2 === 1) throw new PickleError('is damaged: a key of a dict has no value');
    for (let i = 0; i < items.length; i += 2) dict.set(keyText(items[i]), items[i + 1]);
  }

  global(module: string, name: string): void {
    const path = `${module}.${name}`;
    const global = this.#globals.get(path);
    if (!global) throw new PickleError(`asks for ${printable(path)}, which the images do not need`);
    this.push(global);
  }

  reduce(): void {
    const [args, global] = [this.pop(), this.pop()];
    if (!(global instanceof Global && args instanceof Tuple)) throw new PickleError('is damaged: it calls plain data');
    if (!global.construct) throw new PickleError(`calls ${global.name}, which the images do not need`);
    this.push(global.construct(args.items));
  }

  build(): void {
    const [state, object] = [this.pop(), this.top()];
    if (!(object instanceof Built && state instanceof Tuple)) {
      throw new PickleError('sets the state of an object, which the images do not need');
    }
    object.setState(state.items);
  }
}

const STOP = 0x2e;

type Operation = (machine: Machine) => void;

const push = (value: (read: PickleReader) => PickleValue): Operation => {
  return (machine) => machine.push(value(machine.read));
};
const pushTuple = (count: number): Operation => {
  return (machine) => machine.push(new Tuple(Array.from({ length: count }, () => machine.pop()).reverse()));
};

/** By opcode, with the names of pickletools. */
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

  [0x28, (machine) => machine.push(MARK)], // MARK
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

/** Opcodes that Python knows and that are not needed. */
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
  if (REFUSED[code]) return new PickleError(`asks for the opcode ${REFUSED[code]}, which the images do not need`);
  return new PickleError(`is no pickle, or a damaged one: the byte ${code} is no opcode`);
}

function checkProtocol(protocol: number): void {
  if (protocol <= NEWEST_PROTOCOL) return;
  throw new PickleError(`is a pickle of the protocol ${protocol}, wanted 0 to ${NEWEST_PROTOCOL}`);
}

/** A frame only says how much Python shall read at a time. */
function checkFrame(read: PickleReader): void {
  read.checkLeft(read.length64());
}

function pushDict(machine: Machine): void {
  const items = machine.popToMark();
  machine.push(new Map());
  machine.setItems(items);
}

function stackGlobal(machine: Machine): void {
  const [name, module] = [machine.pop(), machine.pop()];
  if (typeof name !== 'string' || typeof module !== 'string')
    throw new PickleError('names a global by what is no text');
  machine.global(module, name);
}

function keyText(key: PickleValue): string {
  if (typeof key === 'string') return key;
  if (key instanceof Uint8Array) return Buffer.from(key).toString('latin1');
  throw new PickleError('has a dict with a key that is no text, which the images do not need');
}

/** A name from a file, safe to show. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 100)).slice(1, -1);
}
