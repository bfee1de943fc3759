import { expectShape, type Shape, type Tensor, type WritingSink } from '../../backend.ts';
import { expectUnits } from '../../checks.ts';
import type { Device } from '../device.ts';
import { CHUNK } from '../kernels/pointwise.ts';

/** Several units per value; see Backend. */
export class MultiBias {
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  forward(x: Tensor, bias: Tensor, into: Tensor): void {
    expectShape('the biases', bias.shape, [into.shape[1]]);
    const { tasks, ...rows } = this.#rows(x.shape, into.shape);
    const operands = { x: this.#device.address(x), bias: this.#device.address(bias), y: this.#device.address(into) };
    this.#device.changed(into);
    this.#device.run('multiBias', tasks, { ...rows, ...operands });
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
