import { damaged } from '../picture.ts';

/** One of the planes of a picture, such as its luminance. */
export interface Component {
  readonly id: number;
  /** Sampling factors: blocks of 8 × 8 samples in a minimum coded unit (MCU). */
  readonly h: number;
  readonly v: number;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
  readonly components: readonly Component[];
}

/** Coefficients of a block of 8 × 8 samples. */
const COEFFICIENTS = 64;
/** State of a coefficient that no scan has transmitted. */
const MISSING = 255;

/** Keeps account of what the scans of a frame transmit: the decoder shows what is missing as grey or blurred.
 *  Source: ITU-T T.81, A.2 (MCUs), B.2.3 (scan header), E.1.4 (restart intervals), G.1.1 (progression). */
export class Scans {
  readonly #frame: Frame;
  /** By component: for each coefficient the number of its low bits that are still missing, or MISSING. */
  readonly #missingBits: ReadonlyMap<number, Uint8Array>;

  constructor(frame: Frame) {
    this.#frame = frame;
    this.#missingBits = new Map(frame.components.map(({ id }) => [id, new Uint8Array(COEFFICIENTS).fill(MISSING)]));
  }

  /** @param header of the scan, without its marker and length. @param interval MCUs between two restart markers, or 0.
   *  @param restarts the restart markers of the scan.
   *  @throws PictureError if the scan is not of this frame, lacks restart intervals, or refines what no scan began. */
  add(header: Buffer, interval: number, restarts: readonly number[]): void {
    const count = header[0];
    if (header.length !== 4 + 2 * count) throw damaged('the header of a scan has the wrong length');
    const ids = Array.from({ length: count }, (_, i) => header[1 + 2 * i]);
    const [first, last, bits] = header.subarray(1 + 2 * count);
    for (const id of ids) {
      const missing = this.#missingBits.get(id);
      if (!missing || last >= COEFFICIENTS) throw damaged('a scan does not belong to the picture');
      if (!this.#frame.isProgressive) missing.fill(0);
      else if (!refine(missing.subarray(first, last + 1), bits)) throw damaged('a scan is missing');
    }
    this.#checkRestarts(ids, interval, restarts);
  }

  /** @throws PictureError unless every bit of every coefficient has been transmitted. */
  checkComplete(): void {
    for (const missing of this.#missingBits.values()) {
      if (missing.some((bits) => bits > 0)) throw damaged('its last scans are missing');
    }
  }

  /** Checks that each restart interval but the last one ends with its marker; these count from 0 to 7 and start again. */
  #checkRestarts(ids: readonly number[], interval: number, restarts: readonly number[]): void {
    if (interval === 0) return;
    const wanted = Math.ceil(this.#unitsOf(ids) / interval) - 1;
    const isInOrder = restarts.every((marker, i) => marker === i % 8);
    if (restarts.length < wanted || !isInOrder) {
      throw damaged(`a scan has ${restarts.length} restart markers, wanted ${wanted}, in order`);
    }
  }

  /** MCUs of a scan: with one component its blocks, otherwise the blocks of all components at one place. */
  #unitsOf(ids: readonly number[]): number {
    const { width, height, components } = this.#frame;
    const maxH = Math.max(...components.map(({ h }) => h));
    const maxV = Math.max(...components.map(({ v }) => v));
    const only = ids.length === 1 ? components.find(({ id }) => id === ids[0]) : undefined;
    const { h, v } = only ?? { h: 1, v: 1 };
    return Math.ceil(Math.ceil((width * h) / maxH) / 8) * Math.ceil(Math.ceil((height * v) / maxV) / 8);
  }
}

/** Marks the bits that a scan of a progressive frame transmits; false if it does not continue where the last scan ended.
 *  @param bits missing before, in the high four bits (0 in the first scan), and after it, in the low four bits. */
function refine(missing: Uint8Array, bits: number): boolean {
  const [before, after] = [bits >> 4, bits & 15];
  if (before > 0 && missing.some((has) => has !== before)) return false;
  missing.fill(after);
  return true;
}
