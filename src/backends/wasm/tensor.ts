import { type DType, type Shape, ShapeError, sizeOf, type Tensor } from '../backend.ts';

/** A part of the memory, which a tensor shares with its views. */
export interface Storage {
  readonly address: number;
  /** How often it was written to: whether what was derived from it is still true. */
  version: number;
  /** Its rows as int16, if they were asked for. */
  quantised?: Quantised;
}

/** Some bytes of the memory. */
export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/** Rows rounded to int16, with a scale for each, made from some version of a tensor. */
export interface Quantised {
  target: Piece;
  scales: Piece;
  rows: number;
  columns: number;
  version: number;
}

/** A tensor in the memory of the backend, in row-major order. `pixel` is kept as bytes p − 128 where products are exact in
 *  int16, and as float32 elsewhere. */
export class WasmTensor implements Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly storage: Storage;
  readonly size: number;

  constructor(shape: Shape, dtype: DType, storage: Storage) {
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    this.size = sizeOf(shape);
  }

  view(rows: number): WasmTensor {
    if (this.shape.length === 0 || rows > this.shape[0]) {
      throw new ShapeError(`cannot view ${rows} rows of a tensor of shape [${this.shape.join(', ')}]`);
    }
    return new WasmTensor([rows, ...this.shape.slice(1)], this.dtype, this.storage);
  }
}

/** @throws TypeError for a tensor of another backend. */
export function own(tensor: Tensor): WasmTensor {
  if (tensor instanceof WasmTensor) return tensor;
  throw new TypeError('the tensor belongs to another backend');
}
