import { PickleError } from './pickle-values.ts';

const NEWLINE = 0x0a;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The arguments of the opcodes, one after the other. Nothing is set aside for a length before the bytes are seen. */
export class PickleReader {
  readonly #file: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The next bytes, as a view of the file. */
  bytes(count: number): Buffer {
    this.checkLeft(count);
    this.#at += count;
    return this.#file.subarray(this.#at - count, this.#at);
  }

  checkLeft(count: number): void {
    const left = this.#file.length - this.#at;
    if (count <= left) return;
    throw new PickleError(`is cut short or damaged: it wants ${count} bytes where ${left} are left`);
  }

  /** An unsigned integer of up to six bytes. */
  unsigned(byteCount: number): number {
    return this.bytes(byteCount).readUIntLE(0, byteCount);
  }

  int32(): number {
    return this.bytes(4).readInt32LE();
  }

  /** A length of eight bytes. */
  length64(): number {
    return Number(this.bytes(8).readBigUInt64LE());
  }

  /** An integer in two's complement, of as few bytes as it needs. */
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
      throw new PickleError('has a text that is not UTF-8');
    }
  }

  /** What is left of this line, without its end. */
  line(most = Number.POSITIVE_INFINITY): Buffer {
    const length = this.#file.indexOf(NEWLINE, this.#at) - this.#at;
    if (length < 0) throw new PickleError('is cut short or damaged: it ends within a line');
    if (length > most) throw new PickleError(`has a line of ${length} bytes, wanted at most ${most}`);
    const line = this.bytes(length);
    this.bytes(1);
    return line;
  }

  /** A line that is a name or a number. */
  word(): string {
    return this.line(200).toString('latin1');
  }

  /** An integer of up to 8 bytes, in decimal digits. */
  decimal(suffix = ''): number {
    return parse(this.word(), suffix);
  }

  /** The same; protocols 0 and 1 write False as 00 and True as 01. */
  decimalOrBoolean(): number | boolean {
    const word = this.word();
    return word === '00' || word === '01' ? word === '01' : parse(word, '');
  }
}

function parse(word: string, suffix: string): number {
  const digits = word.endsWith(suffix) ? word.slice(0, word.length - suffix.length) : word;
  if (!/^-?\d{1,20}$/.test(digits)) throw new PickleError(`has ${JSON.stringify(word)} where an integer is wanted`);
  return safe(BigInt(digits));
}

function safe(integer: bigint): number {
  const number = Number(integer);
  if (!Number.isSafeInteger(number)) throw new PickleError(`has the integer ${integer}, which is too large`);
  return number;
}
