import type { Backend, Tensor, WritingSink } from '../backends/backend.ts';
import type { Optimizer, Parameter, ParameterUpdate } from './optimizer.ts';

/** Updates the parameters of a model with an optimiser, and holds its state for each parameter. */
export class Updater<P extends Parameter> {
  readonly #updates: ReadonlyMap<P, ParameterUpdate>;

  constructor(optimizer: Optimizer, backend: Backend, parameters: readonly P[]) {
    this.#updates = new Map(parameters.map((parameter) => [parameter, optimizer.attach(parameter, backend)]));
  }

  /** Parameters and optimiser state, keyed by the names under which they are saved: `fc1.weight`,
   *  `fc1.weight.momentum_buffer`. */
  get tensors(): [name: string, tensor: Tensor][] {
    return [...this.#updates].flatMap(([{ name, tensor }, { state }]) => [
      [name, tensor] as [string, Tensor],
      ...Object.entries(state).map(([stateName, kept]) => [`${name}.${stateName}`, kept] as [string, Tensor]),
    ]);
  }

  /** Optimiser state of all parameters. */
  get state(): Tensor[] {
    return [...this.#updates.values()].flatMap(({ state }) => Object.values(state));
  }

  /** Begins a step, counted from 1, and returns the sink for the gradient of each parameter. */
  begin(step: number, learningRate: number): Map<P, WritingSink> {
    return new Map([...this.#updates].map(([parameter, update]) => [parameter, update.begin(step, learningRate)]));
  }

  /** Ends the step, after the backward pass. Then every parameter is updated. */
  end(): void {
    for (const update of this.#updates.values()) update.end?.();
  }
}
