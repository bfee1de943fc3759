import { type Activation, expectShape, type Shape, type Tensor, type WritingSink } from '../../backend.ts';
import type { Device } from '../device.ts';
import type { Arguments } from '../kernels/kernel.ts';
import { ACTIVATION_CODE, CHUNK, type SINK_PARAMETERS, SUM_COLUMNS_PER_TASK } from '../kernels/pointwise.ts';
import type { KERNELS } from '../module.ts';
import { asWasmTensor } from '../tensor.ts';

type ElementwiseKernel = 'add' | 'scale' | 'deliver' | 'activationDerivative' | 'dropout';

/** Elementwise operations and sums; see Backend. */
export class Pointwise {
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  sumRows(x: Tensor, into: WritingSink): void {
    const [rows, columns] = x.shape;
    this.#device.sumRows({ x: this.#device.address(x), rows, columns }, into);
  }

  sumRowsWherePositive(y: Tensor, upstream: Tensor, into: WritingSink): void {
    expectShape('upstream', upstream.shape, y.shape);
    const [rows, columns] = y.shape;
    const operands = { y: this.#device.address(y), upstream: this.#device.address(upstream), rows };
    const sink = this.#device.sinkArguments([columns], into);
    this.#device.run('sumRowsWherePositive', Math.ceil(columns / SUM_COLUMNS_PER_TASK), { ...sink, ...operands });
  }

  add(a: Tensor, b: Tensor, into: WritingSink): void {
    expectShape('the second term', b.shape, a.shape);
    this.#elementwise('add', a.shape, into, { a: this.#device.address(a), b: this.#device.address(b) });
  }

  scale(x: Tensor, factor: number, by: Tensor, into: WritingSink): void {
    const scale = factor * this.#device.scalar(by);
    this.#elementwise('scale', x.shape, into, { x: this.#device.address(x), factor: scale });
  }

  sumSquares(x: Tensor, factor: number, into: Tensor): void {
    const count = asWasmTensor(x).size;
    const tasks = Math.ceil(count / CHUNK);
    const sums = this.#device.scratch('partial', 4 * tasks);
    this.#device.run('sumSquares', tasks, { x: this.#device.address(x), count, sums });
    this.#device.setScalar(into, factor * this.#device.sum(sums, tasks));
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    expectShape('the result', into.shape, x.shape);
    const count = asWasmTensor(x).size;
    const operands = {
      kind: ACTIVATION_CODE[kind],
      x: this.#device.address(x),
      target: this.#device.address(this.#device.changed(into)),
      count,
    };
    this.#device.run('activation', Math.ceil(count / CHUNK), operands);
  }

  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: WritingSink): void {
    expectShape('upstream', upstream.shape, y.shape);
    const operands = {
      kind: ACTIVATION_CODE[kind],
      y: this.#device.address(y),
      upstream: this.#device.address(upstream),
    };
    this.#elementwise('activationDerivative', y.shape, into, operands);
  }

  dropout(x: Tensor, rate: number, key: number, into: WritingSink): void {
    const threshold = Math.ceil(rate * 2 ** 32);
    this.#elementwise('dropout', x.shape, into, { x: this.#device.address(x), key, threshold, factor: 1 / (1 - rate) });
  }

  deliver(gradient: Tensor, into: WritingSink): void {
    this.#elementwise('deliver', gradient.shape, into, { x: this.#device.address(gradient) });
  }

  #elementwise<Name extends ElementwiseKernel>(
    name: Name,
    shape: Shape,
    into: WritingSink,
    operands: Omit<Arguments<(typeof KERNELS)[Name]['parameters']>, keyof typeof SINK_PARAMETERS>,
  ): void {
    const sink = this.#device.sinkArguments(shape, into);
    const args = { ...operands, ...sink } as unknown as Arguments<(typeof KERNELS)[Name]['parameters']>;
    this.#device.run(name, Math.ceil(sink.count / CHUNK), args);
  }
}
