/** A small WebAssembly assembler: encodes functions, written as structured code, into the bytes of a module.
 *
 *  The instructions are in instructions.ts, under their names in the specification.
 *  Source: WebAssembly Core Specification 2.0, chapter 5 (binary format). */

export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';
const TYPE_CODE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b } as const satisfies Record<ValueType, number>;

/** Bytes as nested arrays, flattened once at the end. */
export type Code = readonly (number | Code)[];

/** Code that leaves one value of the given type on the stack, or none (`void`). */
export class Expr<T extends ValueType | 'void' = ValueType | 'void'> {
  readonly type: T;
  readonly code: Code;

  constructor(type: T, code: Code) {
    this.type = type;
    this.code = code;
  }
}

/** A local variable or parameter of a function. Used as an expression, it is its value. */
export class Local<T extends ValueType = ValueType> extends Expr<T> {
  readonly index: number;

  constructor(type: T, index: number) {
    super(type, [0x20, unsigned(index)]);
    this.index = index;
  }
}

/** A function of the module, as a call needs it. */
export interface FunctionHandle {
  readonly index: number;
  readonly result: ValueType | 'void';
}

type LocalsOf<Types extends readonly ValueType[]> = { [I in keyof Types]: Local<Types[I]> };

/** Builds the body of one function, statement by statement. */
export class FunctionBuilder {
  readonly #parameterCount: number;
  readonly #locals: ValueType[] = [];
  readonly #code: (number | Code)[] = [];

  constructor(parameterCount: number) {
    this.#parameterCount = parameterCount;
  }

  /** Declares a variable; it is zero by default. */
  local<T extends ValueType>(type: T, value?: Expr<T>): Local<T> {
    const local = new Local(type, this.#parameterCount + this.#locals.length);
    this.#locals.push(type);
    if (value) this.set(local, value);
    return local;
  }

  set<T extends ValueType>(local: Local<T>, value: Expr<T>): void {
    this.#code.push(value.code, 0x21, unsigned(local.index));
  }

  /** Appends an expression that leaves nothing, such as a store. */
  do(statement: Expr<'void'>): void {
    this.#code.push(statement.code);
  }

  while(condition: Expr<'i32'>, body: () => void): void {
    // block { loop { if (!condition) break; body; continue } }
    this.#code.push(0x02, 0x40, 0x03, 0x40, condition.code, 0x45, 0x0d, 0x01);
    body();
    this.#code.push(0x0c, 0x00, 0x0b, 0x0b);
  }

  if(condition: Expr<'i32'>, then: () => void, otherwise?: () => void): void {
    this.#code.push(condition.code, 0x04, 0x40);
    then();
    if (otherwise) {
      this.#code.push(0x05);
      otherwise();
    }
    this.#code.push(0x0b);
  }

  return(value?: Expr<ValueType>): void {
    this.#code.push(value?.code ?? [], 0x0f);
  }

  /** The encoded body. */
  encode(): Code {
    const locals = vector(this.#locals.map((type) => [1, TYPE_CODE[type]]));
    return sized([locals, this.#code, 0x0b]);
  }
}

export interface MemoryLimits {
  readonly initialPages: number;
  readonly maximumPages: number;
  readonly shared: boolean;
}

/** Builds a module that imports its memory as `env.memory` and a number as `env.base` (`BASE` in instructions.ts), and lists
 *  all its functions, by index, in one table. */
export class ModuleBuilder {
  readonly #types: Code[] = [];
  readonly #typeKeys: string[] = [];
  readonly #functions: { type: number; builder: FunctionBuilder; exportName: string | undefined }[] = [];

  /** Adds a function; `write` receives its builder and its parameters. */
  function<const Types extends readonly ValueType[], Result extends ValueType | 'void' = 'void'>(
    parameters: Types,
    write: (f: FunctionBuilder, ...locals: LocalsOf<Types>) => void,
    options: { readonly name?: string; readonly result?: Result } = {},
  ): FunctionHandle {
    const result = options.result ?? 'void';
    const builder = new FunctionBuilder(parameters.length);
    write(builder, ...(parameters.map((type, i) => new Local(type, i)) as unknown as LocalsOf<Types>));
    this.#functions.push({ type: this.type(parameters, result), builder, exportName: options.name });
    return { index: this.#functions.length - 1, result };
  }

  /** The index of a function type. */
  type(parameters: readonly ValueType[], result: ValueType | 'void'): number {
    const key = `${parameters} ${result}`;
    const found = this.#typeKeys.indexOf(key);
    if (found >= 0) return found;
    const results = result === 'void' ? [] : [[TYPE_CODE[result]]];
    this.#types.push([0x60, vector(parameters.map((type) => [TYPE_CODE[type]])), vector(results)]);
    return this.#typeKeys.push(key) - 1;
  }

  encode({ initialPages, maximumPages, shared }: MemoryLimits): Uint8Array<ArrayBuffer> {
    const count = this.#functions.length;
    const memory = [
      text('env'),
      text('memory'),
      0x02,
      shared ? 0x03 : 0x01,
      unsigned(initialPages),
      unsigned(maximumPages),
    ];
    const base = [text('env'), text('base'), 0x03, TYPE_CODE.i32, 0x00];
    const exported = this.#functions.flatMap(({ exportName }, i) =>
      exportName === undefined ? [] : [[text(exportName), 0x00, unsigned(i)]],
    );
    const indices = this.#functions.map((_, i) => unsigned(i));
    return flat([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, vector(this.#types)),
      section(2, vector([memory, base])),
      section(3, vector(this.#functions.map(({ type }) => unsigned(type)))),
      section(4, vector([[0x70, 0x00, unsigned(count)]])),
      section(7, vector(exported)),
      section(9, vector([[0x00, 0x41, 0x00, 0x0b, vector(indices)]])),
      section(10, vector(this.#functions.map(({ builder }) => builder.encode()))),
    ]);
  }
}

function lengthOf(code: Code): number {
  let length = 0;
  for (const part of code) length += typeof part === 'number' ? 1 : lengthOf(part);
  return length;
}

function flat(code: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(code));
  let end = 0;
  const write = (parts: Code) => {
    for (const part of parts) {
      if (typeof part === 'number') bytes[end++] = part;
      else write(part);
    }
  };
  write(code);
  return bytes;
}

/** Encodes an integer from 0 to 2³² − 1 as LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** Encodes a signed integer as LEB128, the format of i32 and i64 constants. */
export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0);
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return bytes;
  }
}

function vector(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function sized(content: Code): Code {
  return [unsigned(lengthOf(content)), content];
}

function section(id: number, content: Code): Code {
  return [id, sized(content)];
}

function text(name: string): Code {
  return sized([...new TextEncoder().encode(name)]);
}
