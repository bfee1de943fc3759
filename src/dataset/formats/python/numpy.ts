import { Built, Global, PickleError, type PickleValue, Tuple } from './pickle-values.ts';

// Pickled numpy arrays of bytes. Up to protocol 4: numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), b'b'), followed
// by the state (1, shape, dtype, isFortran, bytes). From protocol 5 on: numpy.core.numeric._frombuffer(bytes, dtype,
// shape, order). In numpy 2, `core` is `_core`.
// Source: numpy, core/src/multiarray/methods.c (array_reduce, array_setstate) and descriptor.c (arraydescr_reduce).

/** Bytes that `encode` may create per pickle; a batch has 30,720,000. */
const MAX_ENCODED_BYTES = 64 * 2 ** 20;

/** Numpy array of unsigned bytes. */
export class NdArray extends Built {
  #content: { shape: readonly number[]; bytes: Uint8Array; isFortran: boolean } = {
    shape: [0],
    bytes: new Uint8Array(),
    isFortran: false,
  };

  get shape(): readonly number[] {
    return this.#content.shape;
  }

  /** Bytes of a matrix in row-major order. */
  rows(): Uint8Array {
    const { shape, bytes, isFortran } = this.#content;
    if (!isFortran) return bytes;
    const [rows, columns] = shape;
    const transposed = new Uint8Array(bytes.length);
    for (let column = 0, from = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) transposed[row * columns + column] = bytes[from++];
    }
    return transposed;
  }

  setState([version, shape, dtype, isFortran, bytes, ...rest]: readonly PickleValue[]): void {
    if (version !== 1 || typeof isFortran !== 'boolean' || rest.length > 0) throw unknown('an array');
    this.set(bytes, dtype, shape, isFortran);
  }

  set(bytes: PickleValue, dtype: PickleValue, shape: PickleValue, isFortran: boolean): this {
    if (!(bytes instanceof Uint8Array && dtype instanceof DType && shape instanceof Tuple)) throw unknown('an array');
    const lengths = shape.items.filter((length): length is number => typeof length === 'number' && length >= 0);
    const size = lengths.reduce((product, length) => product * length, 1);
    if (lengths.length < shape.items.length || size !== bytes.length) {
      throw new PickleError(`is damaged: an array of shape ${lengths.join(' × ')} has ${bytes.length} bytes`);
    }
    this.#content = { shape: lengths, bytes, isFortran: isFortran && lengths.length === 2 };
    return this;
  }
}

class DType extends Built {
  setState([version, order, subarray, names, fields]: readonly PickleValue[]): void {
    const isPlain = subarray === null && names === null && fields === null;
    if (typeof version !== 'number' || order === undefined || !isPlain) throw unknown('a dtype');
  }
}

/** Complete list of the globals that a pickle of images may name. Create a new list for each pickle. */
export function numpyGlobals(): readonly Global[] {
  let encodedBytes = 0;
  const encode = ([value, encoding, ...rest]: readonly PickleValue[]) => {
    if (typeof value !== 'string' || text(encoding) !== 'latin1' || rest.length > 0) throw unknown('bytes');
    encodedBytes += value.length;
    if (encodedBytes > MAX_ENCODED_BYTES) throw new PickleError(`creates more than ${MAX_ENCODED_BYTES} bytes`);
    return latin1(value);
  };
  return [
    new Global('numpy.ndarray'),
    new Global('numpy.dtype', makeDType),
    ...['numpy.core', 'numpy._core'].flatMap((core) => [
      new Global(`${core}.multiarray._reconstruct`, reconstruct),
      new Global(`${core}.numeric._frombuffer`, fromBuffer),
    ]),
    // Python 3 writes bytes this way in the protocols that Python 2 can read.
    new Global('_codecs.encode', encode),
  ];
}

function reconstruct([type]: readonly PickleValue[]): NdArray {
  if (!(type instanceof Global && type.name === 'numpy.ndarray')) throw unknown('an array');
  return new NdArray();
}

function fromBuffer([bytes, dtype, shape, order]: readonly PickleValue[]): NdArray {
  if (order !== 'C' && order !== 'F') throw unknown('an array');
  return new NdArray().set(bytes, dtype, shape, order === 'F');
}

function makeDType([code]: readonly PickleValue[]): DType {
  const name = text(code);
  if (name !== 'u1') throw new PickleError(`has an array of the dtype ${JSON.stringify(name)}, wanted u1 (bytes)`);
  return new DType();
}

function latin1(value: string): Uint8Array {
  if (/[^\0-\xff]/.test(value)) throw new PickleError('is damaged: a byte string has characters above 255');
  return Buffer.from(value, 'latin1');
}

function text(value: PickleValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value.subarray(0, 32)).toString('latin1') : undefined;
}

function unknown(what: string): PickleError {
  return new PickleError(`constructs ${what} in an unsupported way`);
}
