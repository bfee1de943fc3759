import { type DType, type Shape, sizeOf, type Tensor } from '../backend.ts';
import { viewShape } from '../checks.ts';

/** The memory of a tensor, shared with its views. */
export interface Storage {
  readonly address: number;
  /** The time from one reset of the backend to the next, in which the address is valid. */
  readonly lifetime: Lifetime;
  /** Incremented by every write; tells whether data derived from the tensor is up to date. */
  version: number;
  /** Cached copy of its rows, rounded to integers. */
  quantised?: Quantised;
}

export interface Lifetime {
  hasEnded: boolean;
}

/** A range of the memory. */
export interface MemoryRange {
  readonly address: number;
  readonly bytes: number;
}

/** Rows rounded to integers, with a scale per row, computed from a certain version of a tensor. */
export interface Quantised {
  values: MemoryRange;
  scales: MemoryRange;
  rows: number;
  columns: number;
  /** The largest integer. */
  limit: number;
  /** Bytes from one row to the next. */
  stride: number;
  version: number;
}

/** A tensor in the memory of the backend, in row-major order. Pixels are stored as bytes p − 128 in integer precisions, and as
 *  float32 otherwise. */
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
    return new WasmTensor(viewShape(this, rows), this.dtype, this.storage);
  }
}

/** @throws TypeError for a tensor of another backend, or from before a reset. */
export function asWasmTensor(tensor: Tensor): WasmTensor {
  if (!(tensor instanceof WasmTensor)) throw new TypeError('the tensor belongs to another backend');
  if (tensor.storage.lifetime.hasEnded) throw new TypeError('the tensor was forgotten when the backend was reset');
  return tensor;
}
