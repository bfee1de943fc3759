import type { Shape, Tensor } from '../backends/backend.ts';

/** The graph as a wire sees it: where its tensors are kept. */
export interface WireTensors {
  valueOf(wire: Wire): Tensor;
  gradientOf(wire: Wire): Tensor;
}

/** A value of the graph: an input, a constant, a parameter or the output of a gate. */
export class Wire {
  readonly name: string;
  /** Whether a gradient flows here: true of a parameter and of everything that depends on one. */
  readonly needsGradient: boolean;
  readonly isParameter: boolean;
  /** The number of matrices stacked in a parameter, for an optimiser that treats each as a whole; else 0. */
  readonly matrices: number;
  readonly #tensors: WireTensors;

  constructor(
    tensors: WireTensors,
    { name, needsGradient, isParameter, matrices }: Pick<Wire, 'name' | 'needsGradient' | 'isParameter' | 'matrices'>,
  ) {
    this.#tensors = tensors;
    this.name = name;
    this.needsGradient = needsGradient;
    this.isParameter = isParameter;
    this.matrices = matrices;
  }

  /** Its value, at the graph's current batch size. */
  get tensor(): Tensor {
    return this.#tensors.valueOf(this);
  }

  /** Its gradient, as stored by the last backward pass. @throws Error if none has been stored. */
  get gradient(): Tensor {
    return this.#tensors.gradientOf(this);
  }

  get shape(): Shape {
    return this.tensor.shape;
  }
}
