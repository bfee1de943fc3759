import { expectShape, type Tensor, type WritingSink } from '../../backend.ts';
import type { Device } from '../device.ts';
import { CHUNK } from '../kernels/pointwise.ts';
import { asWasmTensor } from '../tensor.ts';

/** The maximum number of groups of four rows per task. */
const MAX_GROUPS = 4;

/** The losses of a batch, their derivatives and the number of correct answers; see Backend. */
export class Losses {
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor, smoothing: number, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#arguments(logits, labels);
    this.#device.run('softmaxCrossEntropy', tasks, { ...rows, smoothing, losses });
    this.#device.setScalar(into, this.#device.sum(losses, rows.rows) / rows.rows);
  }

  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    smoothing: number,
    upstream: Tensor,
    into: WritingSink,
  ): void {
    const { tasks, losses: _, ...rows } = this.#arguments(logits, labels);
    const factor = this.#device.scalar(upstream) / rows.rows;
    const sink = this.#device.sinkArguments(logits.shape, into, rows.classes);
    this.#device.run('softmaxCrossEntropyDerivative', tasks, { ...rows, ...sink, smoothing, factor });
  }

  hinge(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#arguments(logits, labels);
    this.#device.run('hinge', tasks, { ...rows, losses });
    this.#device.setScalar(into, this.#device.sum(losses, rows.rows) / rows.rows);
  }

  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: WritingSink): void {
    const { tasks, losses: _, ...rows } = this.#arguments(logits, labels);
    const factor = this.#device.scalar(upstream) / rows.rows;
    const sink = this.#device.sinkArguments(logits.shape, into, rows.classes);
    this.#device.run('hingeDerivative', tasks, { ...rows, ...sink, factor });
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses: hits, ...rows } = this.#arguments(logits, labels);
    this.#device.run('countCorrect', tasks, { ...rows, hits });
    this.#device.setScalar(into, this.#device.sum(hits, rows.rows));
  }

  /** The arguments that the kernels of losses.ts share. */
  #arguments(logits: Tensor, labels: Tensor) {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    const [rows, classes] = logits.shape;
    const groups = Math.max(1, Math.min(MAX_GROUPS, Math.floor(CHUNK / (4 * classes))));
    return {
      logits: this.#device.address(logits),
      labels: asWasmTensor(labels).storage.address,
      rows,
      classes,
      groups,
      tasks: Math.ceil(rows / (4 * groups)),
      // Rounded up, because the kernels write four rows at a time.
      losses: this.#device.scratch('partial', 4 * (rows + 3)),
    };
  }
}
