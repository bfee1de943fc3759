/** A field of a configuration or an options object that a message names, with its value if the message shows it. */
export interface NamedField {
  readonly field: string;
  readonly value?: unknown;
}

/** A text that names fields. By default they appear as in code (`earlyStop: 3`); the command line renders the same text
 *  with the names of its options. */
export class Message {
  readonly parts: readonly (string | NamedField)[];

  constructor(parts: readonly (string | NamedField)[]) {
    this.parts = parts;
  }

  render(nameOf: (named: NamedField) => string): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : nameOf(part))).join('');
  }

  toString(): string {
    return this.render(({ field, value }) => (value === undefined ? field : `${field}: ${inCode(value)}`));
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Template tag for a message: message`${field('val')} must be below ${count}`. */
export function message(
  texts: TemplateStringsArray,
  ...values: readonly (string | number | NamedField | Message)[]
): Message {
  const parts = values.flatMap((value, i) => [partsOf(value), texts[i + 1]].flat());
  return new Message([texts[0], ...parts]);
}

/** Names a field in a message. @param value its current or suggested value. */
export function field(name: string, value?: unknown): NamedField {
  return { field: name, value };
}

function partsOf(value: string | number | NamedField | Message): readonly (string | NamedField)[] {
  if (value instanceof Message) return value.parts;
  return [typeof value === 'object' ? value : String(value)];
}

function inCode(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
