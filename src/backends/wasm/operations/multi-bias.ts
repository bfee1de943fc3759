import { expectShape, type Shape, type Tensor, type WritingSink } from '../../backend.ts';
import { expectUnits } from '../../checks.ts';
import type { Device } from '../device.ts';
import { CHUNK } from '../kernels/pointwise.ts';
import { FROM_UNITS_MAX_VALUES, UNITS_PER_VECTOR } from '../kernels/products/units/from-units.ts';
import { asWasmTensor, type MemoryRange, type Storage } from '../tensor.ts';

/** Several units per value; see Backend. */
export class MultiBias {
  readonly #device: Device;
  readonly #biases = new WeakMap<Storage, MemoryRange>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Backend.multiBias. Products can compute the units from x as they go, so none is computed before something else needs
   *  them. The biases are copied, because an update may change them before that. */
  forward(x: Tensor, bias: Tensor, into: Tensor): void {
    expectShape('the biases', bias.shape, [into.shape[1]]);
    const { rows, columns: values, units } = expectUnits(x.shape, into.shape);
    const [source, biases] = [this.#device.storageOf(x), this.#device.address(bias)];
    const { storage } = asWasmTensor(into);
    // Of more units than are replaced, the others have to be computed first.
    if (storage.deferred && storage.deferred.rows <= rows) storage.deferred = undefined;
    this.#device.address(this.#device.changed(into));
    if (values % UNITS_PER_VECTOR !== 0 || values >= FROM_UNITS_MAX_VALUES) {
      this.#compute(x, biases, into);
      return;
    }
    const copy = this.#copyOf(biases, 4 * units * values, storage);
    const compute = () => {
      storage.deferred = undefined;
      this.#compute(x, copy, into);
    };
    storage.deferred = { source, version: source.version, bias: copy, rows, values, units, compute };
  }

  #compute(x: Tensor, bias: number, into: Tensor): void {
    const { tasks, ...rows } = this.#rows(x.shape, into.shape);
    const operands = { x: this.#device.address(x), bias, y: this.#device.address(into) };
    this.#device.run('multiBias', tasks, { ...rows, ...operands });
  }

  /** The address of a copy of the biases, kept for the units in `storage`. */
  #copyOf(biases: number, bytes: number, storage: Storage): number {
    let copy = this.#biases.get(storage);
    if (!copy || copy.bytes < bytes) this.#biases.set(storage, (copy = this.#device.allocate(bytes)));
    this.#device.memory.bytes.copyWithin(copy.address, biases, biases + bytes);
    return copy.address;
  }

  derivative(y: Tensor, upstream: Tensor, into: WritingSink): void {
    expectShape('upstream', upstream.shape, y.shape);
    const { shape } = into.tensor;
    const { tasks, ...rows } = this.#rows(shape, y.shape);
    const operands = { y: this.#device.address(y), upstream: this.#device.address(upstream) };
    const sink = this.#device.sinkArguments(shape, into, rows.columns);
    this.#device.run('multiBiasDerivative', tasks, { ...rows, ...operands, ...sink });
  }

  /** The arguments that both kernels share: a task has rows of about a chunk. */
  #rows(x: Shape, y: Shape) {
    const { rows, columns, units } = expectUnits(x, y);
    const taskRows = Math.max(1, Math.floor(CHUNK / (columns * units)));
    return { rows, columns, units, taskRows, tasks: Math.ceil(rows / taskRows) };
  }
}
