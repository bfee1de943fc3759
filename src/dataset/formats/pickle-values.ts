/** What a pickle can hold here: plain data alone. A `str` of Python 2 is bytes. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Tuple
  | PickleValue[]
  | Map<string, PickleValue>
  | Global
  | Built;

export class Tuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** Something that a pickle refers to by its name, such as `numpy.dtype`. */
export class Global {
  readonly name: string;
  /** The plain data that calling it would make; without this, the name may only be mentioned. */
  readonly construct: ((args: readonly PickleValue[]) => PickleValue) | undefined;

  constructor(name: string, construct?: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.construct = construct;
  }
}

/** An object that gets its content after it was made. */
export abstract class Built {
  abstract setState(state: readonly PickleValue[]): void;
}

/** Why a pickle is refused, as the rest of a sentence that begins with its name. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}
