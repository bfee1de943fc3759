import { PickleError } from './pickle-values.ts';

const NEWLINE = 0x0a;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads opcodes and their arguments. Checks every length against the remaining bytes before allocating anything. */
export class PickleReader {
  readonly #file: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Reads bytes, as a view of the file. */
  bytes(count: number): Buffer {
    this.checkLeft(count);
    this.#at += count;
    return this.#file.subarray(this.#at - count, this.#at);
  }

  checkLeft(count: number): void {
    const left = this.#file.length - this.#at;
    if (count <= left) return;
    throw new PickleError(`is truncated or damaged: it refers to ${count} more bytes, but has ${left}`);
  }

  /** Reads an unsigned integer of up to six bytes. */
  unsigned(byteCount: number): number {
    return this.bytes(byteCount).readUIntLE(0, byteCount);
  }

  int32(): number {
    return this.bytes(4).readInt32LE();
  }

  /** Reads a length of eight bytes. */
  length64(): number {
    return Number(this.bytes(8).readBigUInt64LE());
  }

  /** Reads a two's-complement integer of 0 to 8 bytes. */
  long(byteCount: number): number {
    if (byteCount > 8) throw new PickleError(`has an integer of ${byteCount} bytes, wanted at most 8`);
    let value = 0n;
    for (const byte of this.bytes(byteCount).toReversed()) value = (value << 8n) | BigInt(byte);
    return safe(BigInt.asIntN(8 * byteCount, value));
  }

  utf8(byteCount: number): string {
    const bytes = this.bytes(byteCount);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new PickleError('has a string that is not UTF-8');
    }
  }

  /** Reads the rest of the line, without its newline. */
  line(maxLength = Number.POSITIVE_INFINITY): Buffer {
    const length = this.#file.indexOf(NEWLINE, this.#at) - this.#at;
    if (length < 0) throw new PickleError('is truncated or damaged: it ends within a line');
    if (length > maxLength) throw new PickleError(`has a line of ${length} bytes, wanted at most ${maxLength}`);
    const line = this.bytes(length);
    this.bytes(1);
    return line;
  }

  /** Reads a line with a name or a number. */
  word(): string {
    return this.line(200).toString('latin1');
  }

  /** Reads a decimal integer. */
  decimal(suffix = ''): number {
    return parse(this.word(), suffix);
  }

  /** Reads a decimal integer or a boolean, which protocols 0 and 1 write as 00 or 01. */
  decimalOrBoolean(): number | boolean {
    const word = this.word();
    return word === '00' || word === '01' ? word === '01' : parse(word, '');
  }
}

function parse(word: string, suffix: string): number {
  const digits = word.endsWith(suffix) ? word.slice(0, word.length - suffix.length) : word;
  if (!/^-?\d{1,20}$/.test(digits)) throw new PickleError(`has ${JSON.stringify(word)}, wanted an integer`);
  return safe(BigInt(digits));
}

function safe(integer: bigint): number {
  const number = Number(integer);
  if (!Number.isSafeInteger(number)) throw new PickleError(`has the integer ${integer}, which is too large`);
  return number;
}
