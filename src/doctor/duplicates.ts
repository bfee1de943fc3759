import type { Dataset } from '../dataset/load.ts';
import { IMAGE_BYTES, type ImageSet, imageAt } from '../images.ts';

/** Images that occur more than once, byte for byte. Rows are indices into their set. */
export interface Duplicates {
  /** Training images equal to an earlier training image. */
  readonly train: readonly Pair[];
  /** Test images equal to an earlier test image. */
  readonly test: readonly Pair[];
  /** Test images equal to a training image. */
  readonly between: readonly Pair[];
}

export interface Pair {
  readonly row: number;
  /** Row of the first equal image. */
  readonly first: number;
  readonly sameLabel: boolean;
}

export function findDuplicates({ train, test }: Pick<Dataset, 'train' | 'test'>): Duplicates {
  const [ofTrain, ofTest] = [new Index(train), new Index(test)];
  return { train: ofTrain.repeated(), test: ofTest.repeated(), between: ofTrain.shared(ofTest) };
}

/** Index of the images of a set by content. */
class Index {
  readonly #set: ImageSet;
  readonly #hashes: Float64Array;
  /** Rows by the hash of their image; of equal images only the first. */
  readonly #rows = new Map<number, number[]>();
  readonly #repeated: Pair[] = [];

  constructor(set: ImageSet) {
    this.#set = set;
    this.#hashes = Float64Array.from(set.labels, (_, row) => hashOf(set, row));
    for (let row = 0; row < set.labels.length; row++) {
      const pair = this.#pairOf(this, row);
      if (pair) this.#repeated.push(pair);
      else {
        const rows = this.#rows.get(this.#hashes[row]);
        if (rows) rows.push(row);
        else this.#rows.set(this.#hashes[row], [row]);
      }
    }
  }

  /** Images equal to an earlier one. */
  repeated(): readonly Pair[] {
    return this.#repeated;
  }

  /** Images of another set that this one contains. */
  shared(other: Index): Pair[] {
    const pairs = Array.from(other.#hashes, (_, row) => this.#pairOf(other, row));
    return pairs.filter((pair) => pair !== undefined);
  }

  #pairOf(other: Index, row: number): Pair | undefined {
    const candidates = this.#rows.get(other.#hashes[row]) ?? [];
    const first = candidates.find((candidate) => isEqual(other.#set, row, this.#set, candidate));
    if (first === undefined) return undefined;
    return { row, first, sameLabel: other.#set.labels[row] === this.#set.labels[first] };
  }
}

function isEqual(a: ImageSet, rowA: number, b: ImageSet, rowB: number): boolean {
  return Buffer.compare(imageAt(a.images, rowA), imageAt(b.images, rowB)) === 0;
}

/** Hashes an image to 53 bits: two multiplicative hashes over its words. */
function hashOf({ images }: ImageSet, row: number): number {
  const image = imageAt(images, row);
  const words = new Uint32Array(image.buffer, image.byteOffset, IMAGE_BYTES / 4);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const word of words) {
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}
