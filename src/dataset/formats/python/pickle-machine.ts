import { PickleReader } from './pickle-reader.ts';
import { Built, Global, PickleError, type PickleValue, Tuple } from './pickle-values.ts';

const MARK = Symbol('mark');

/** Stack machine that executes the operations of a pickle. The only globals it can name or call are those it is given. */
export class PickleMachine {
  readonly read: PickleReader;
  readonly #globals: ReadonlyMap<string, Global>;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, globals: readonly Global[]) {
    this.read = new PickleReader(bytes);
    this.#globals = new Map(globals.map((global) => [global.name, global]));
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pushMark(): void {
    this.#stack.push(MARK);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK)
      throw new PickleError('is damaged: it pops a value that it never pushed');
    return value;
  }

  /** Removes the last mark and all values above it, and returns the values. */
  popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new PickleError('is damaged: it refers to a mark that it never set');
    const values = this.#stack.splice(mark);
    values.shift();
    return values as PickleValue[];
  }

  /** Returns the top value without removing it. */
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
    if (value === undefined) throw new PickleError(`is damaged: it refers to memo entry ${key}, which it never set`);
    this.push(value);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError('is damaged: it appends to a value that is not a list');
    for (const value of values) list.push(value);
  }

  /** @param items key, value, key, value … */
  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw new PickleError('is damaged: it sets an item of a value that is not a dict');
    if (items.length % 2 === 1) throw new PickleError('is damaged: a dict key has no value');
    for (let i = 0; i < items.length; i += 2) dict.set(keyText(items[i]), items[i + 1]);
  }

  global(module: string, name: string): void {
    const path = `${module}.${name}`;
    const global = this.#globals.get(path);
    if (!global) throw new PickleError(`names ${printable(path)}, which the images do not need`);
    this.push(global);
  }

  reduce(): void {
    const [args, global] = [this.pop(), this.pop()];
    if (!(global instanceof Global && args instanceof Tuple))
      throw new PickleError('is damaged: it calls a value that is not a global');
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

function keyText(key: PickleValue): string {
  if (typeof key === 'string') return key;
  if (key instanceof Uint8Array) return Buffer.from(key).toString('latin1');
  throw new PickleError('has a dict key that is not a string, which the images do not need');
}

/** Escapes and shortens a name from a file for a message. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 100)).slice(1, -1);
}
