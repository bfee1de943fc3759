import { expectShape, pixelOf, type Tensor } from '../../backend.ts';
import type { Device } from '../device.ts';
import { pixelRowBytes } from '../kernels/products/pack-pixels.ts';
import { asWasmTensor, type Storage } from '../tensor.ts';

/** Backend.write */
export function writeValues(device: Device, tensor: Tensor, values: ArrayLike<number>): void {
  const { size, dtype, shape, storage } = device.changed(tensor);
  expectShape('the array', [values.length], [size]);
  if (dtype === 'pixel') Array.from(values, pixelOf);
  if (device.isPixelBytes(dtype)) {
    const [rows, columns] = shape;
    for (let row = 0; row < rows; row++) {
      const target = pixelRow(device, storage, row, columns);
      for (let i = 0; i < columns; i++) target[i] = 64 * values[row * columns + i];
    }
  } else if (dtype === 'label') device.memory.bytes.set(values, storage.address);
  else device.memory.floats.set(values, storage.address >>> 2);
}

/** Backend.read */
export function readValues(device: Device, tensor: Tensor): Float32Array {
  const { size, dtype, shape, storage } = asWasmTensor(tensor);
  if (dtype === 'label') {
    return Float32Array.from(device.memory.bytes.subarray(storage.address, storage.address + size));
  }
  if (!device.isPixelBytes(dtype)) return device.floats(device.address(tensor), size).slice();
  const [rows, columns] = shape;
  const values = new Float32Array(size);
  for (let row = 0; row < rows; row++) {
    values.set(pixelRow(device, storage, row, columns), row * columns);
  }
  return values.map((value) => value / 64);
}

/** The bytes p − 128 of a row of pixels. */
function pixelRow(device: Device, { address }: Storage, row: number, columns: number): Int8Array {
  return new Int8Array(device.memory.bytes.buffer, address + row * pixelRowBytes(columns), columns);
}
