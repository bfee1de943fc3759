import { type DType, expectShape, type MultiBiasSink, type Shape, type Sink, sizeOf } from '../backend.ts';
import { update } from '../update-rules.ts';
import { multiBiasDerivative, sumRowsWherePositive } from './multi-bias.ts';
import { allocate, type Values, valuesOf } from './tensor.ts';

/** Sends results to their sinks. */
export class Results {
  readonly #dtype: DType;
  readonly #scratch = new Map<number, Values>();

  /** @param dtype of the backend, to which each result is rounded first, so that storing, adding and updating see the same
   *  bits. */
  constructor(dtype: DType) {
    this.#dtype = dtype;
  }

  /** Computes a result of the given shape and sends it to the sink. */
  write(shape: Shape, into: Sink, compute: (target: Values) => void): void {
    if (into.kind === 'multi-bias') {
      expectShape('the destination', into.tensor.shape, shape);
      this.#passOn(into, compute);
      return;
    }
    const target = valuesOf(into.tensor);
    expectShape('the destination', into.tensor.shape, shape);
    if (into.kind === 'store') {
      compute(target);
      return;
    }
    const result = this.#scratchArray(sizeOf(shape));
    compute(result);
    if (into.kind === 'update') update(into.rule, target, result, into.state.map(valuesOf));
    else for (let i = 0; i < target.length; i++) target[i] += result[i];
  }

  /** Computes an upstream gradient and sends its products with the local gradients of `multiBias` to their sinks. */
  #passOn({ tensor, into }: MultiBiasSink, compute: (target: Values) => void): void {
    const upstream = valuesOf(allocate([sizeOf(tensor.shape)], this.#dtype));
    compute(upstream);
    const y = valuesOf(tensor);
    const { shape } = into.x.tensor;
    this.write(shape, into.x, (x) => multiBiasDerivative({ x, y, shapes: [shape, tensor.shape] }, upstream));
    this.write(tensor.shape.slice(1), into.bias, (target) => sumRowsWherePositive(y, upstream, target));
  }

  #scratchArray(length: number): Values {
    let scratch = this.#scratch.get(length);
    if (!scratch) {
      scratch = valuesOf(allocate([length], this.#dtype));
      this.#scratch.set(length, scratch);
    }
    return scratch;
  }
}
