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
  /** How to compute its values, until something needs them; see operations/multi-bias.ts. */
  deferred?: DeferredUnits | undefined;
}

/** Units of `multiBias` that are not in memory, but can be computed. */
export interface DeferredUnits {
  /** The memory of x [rows, values], and its version when the units were asked for. */
  readonly source: Storage;
  readonly version: number;
  /** The address of a copy of the biases. */
  readonly bias: number;
  readonly rows: number;
  readonly values: number;
  readonly units: number;
  /** Computes them into the memory that they belong to. */
  compute(): void;
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

/** Whether the units can still be computed. */
export function canCompute({ source, version }: DeferredUnits): boolean {
  return source.version === version;
}

/** How to compute a matrix, if it consists of units that are not in memory. */
export function unitsOf(tensor: Tensor): DeferredUnits | undefined {
  const { shape, storage } = asWasmTensor(tensor);
  const { deferred } = storage;
  if (!deferred || !canCompute(deferred)) return undefined;
  // A view of fewer rows is another matrix.
  const isWhole = shape[0] === deferred.rows && shape[1] === deferred.units * deferred.values;
  return isWhole ? deferred : undefined;
}
