import {
  allocateSharedImageSet,
  type BatchPlan,
  IMAGE_BYTES,
  IMAGE_SIDE,
  type ImageSet,
  type ReceptiveFields,
  shareableImages,
} from '../../../images.ts';
import type { Tensor } from '../../backend.ts';
import { expectBatch, expectFields } from '../../checks.ts';
import type { Device } from '../device.ts';
import { CROP_IMAGES_PER_TASK } from '../kernels/crop.ts';
import { COLUMN_TABLE_BYTES, columnTable, LOAD_IMAGES_PER_TASK } from '../kernels/images.ts';
import { pixelRowBytes } from '../kernels/products/pack-pixels.ts';
import { asWasmTensor } from '../tensor.ts';

/** Keeps image sets in the memory and loads batches from them. */
export class ImageStore {
  readonly #device: Device;
  /** The addresses of images and labels in the memory. */
  readonly #addresses = new WeakMap<Uint8Array, number>();
  readonly #columns: number;

  constructor(device: Device) {
    this.#device = device;
    this.#columns = device.memory.keep(COLUMN_TABLE_BYTES);
    device.memory.bytes.set(columnTable(), this.#columns);
  }

  /** Backend.imageSet */
  imageSet(count: number): ImageSet {
    const { memory } = this.#device;
    // A memory that is not shared moves as it grows.
    if (!memory.space.limits.shared) return allocateSharedImageSet(count);
    return this.#viewsOf(memory.keep(count * IMAGE_BYTES), memory.keep(count), count);
  }

  /** Returns an image set that other backends can read: where it lies in the memory, if they can share that. */
  share(set: ImageSet): ImageSet {
    if (!this.#device.memory.space.limits.shared) return shareableImages(set);
    return this.#viewsOf(this.#addressOf(set.images), this.#addressOf(set.labels), set.labels.length);
  }

  /** Accepts an image set that another backend has put into the memory. */
  adopt({ images, labels }: ImageSet): void {
    this.#addresses.set(images, images.byteOffset).set(labels, labels.byteOffset);
  }

  /** Backend.loadBatch */
  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void {
    const B = plan.indices.length;
    expectBatch(source, plan, images, labels);
    const place = { images: this.#addressOf(source.images), labels: this.#addressOf(source.labels) };
    const at = this.#device.scratch('plan', 7 * B);
    // Read after the allocations: a growing memory replaces its views.
    const { bytes, words } = this.#device.memory;
    words.set(plan.indices, at >>> 2);
    const [flip, shiftX, shiftY] = [at + 4 * B, at + 5 * B, at + 6 * B];
    bytes.set(plan.flip, flip);
    bytes.set(plan.shiftX, shiftX);
    bytes.set(plan.shiftY, shiftY);
    const target = this.#device.changed(images);
    this.#device.run('loadBatch', Math.ceil(B / LOAD_IMAGES_PER_TASK), {
      ...place,
      count: B,
      indices: at,
      flip,
      shiftX,
      shiftY,
      table: this.#columns,
      target: target.storage.address,
      targetLabels: this.#device.changed(labels).storage.address,
      asPixels: Number(this.#device.isPixelBytes(target.dtype)),
    });
  }

  /** Backend.crop */
  crop(images: Tensor, fields: ReceptiveFields, into: Tensor): void {
    expectFields(images, fields, into);
    const [source, target] = [asWasmTensor(images), this.#device.changed(into)];
    if (source.dtype !== target.dtype) throw new TypeError(`cannot crop ${source.dtype}s to ${target.dtype}s`);
    const isBytes = this.#device.isPixelBytes(source.dtype);
    const bytes = isBytes ? 1 : 4;
    const rowBytes = (columns: number) => (isBytes ? pixelRowBytes(columns) : 4 * columns);
    const [count, columns] = into.shape;
    this.#device.run('crop', Math.ceil(count / CROP_IMAGES_PER_TASK), {
      images: isBytes ? source.storage.address : this.#device.address(images),
      imageBytes: rowBytes(IMAGE_BYTES),
      imageRow: IMAGE_SIDE * bytes,
      target: target.storage.address,
      targetBytes: rowBytes(columns),
      count,
      size: fields.size,
      fieldRow: fields.size * bytes,
      step: fields.stride * bytes,
      last: (IMAGE_SIDE - fields.size) * bytes,
      mirrored: fields.mirrored ? bytes : 0,
    });
  }

  #viewsOf(images: number, labels: number, count: number): ImageSet {
    const { buffer } = this.#device.memory.space.wasm;
    const set = {
      images: new Uint8Array(buffer, images, count * IMAGE_BYTES),
      labels: new Uint8Array(buffer, labels, count),
    };
    this.adopt(set);
    return set;
  }

  /** The address of an array in the memory; an array from elsewhere is copied on first use. */
  #addressOf(source: Uint8Array): number {
    const found = this.#addresses.get(source);
    if (found !== undefined) return found;
    const address = this.#device.memory.keep(source.length);
    this.#device.memory.bytes.set(source, address);
    this.#addresses.set(source, address);
    return address;
  }
}
