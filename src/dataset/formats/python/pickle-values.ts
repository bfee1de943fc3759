/** Values that a pickle may contain: plain data only. A Python 2 `str` is bytes. */
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

/** Global that a pickle refers to by name, such as `numpy.dtype`. */
export class Global {
  readonly name: string;
  /** Returns the plain data that a call of the global stands for; undefined if the global may not be called. */
  readonly construct: ((args: readonly PickleValue[]) => PickleValue) | undefined;

  constructor(name: string, construct?: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.construct = construct;
  }
}

/** Object whose content is set after its construction. */
export abstract class Built {
  abstract setState(state: readonly PickleValue[]): void;
}

/** Reason why a pickle is refused. The message completes a sentence that begins with the file's name. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}
