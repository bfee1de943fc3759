import type { Backend, Sink, Tensor } from '../backends/backend.ts';
import type { Optimizer, Parameter, ParameterUpdate } from './optimizer.ts';

/** The parameters of a model under an optimiser, with what it keeps of each of them. */
export class Updater<P extends Parameter> {
  readonly #updates: ReadonlyMap<P, ParameterUpdate>;

  constructor(optimizer: Optimizer, backend: Backend, parameters: readonly P[]) {
    this.#updates = new Map(parameters.map((parameter) => [parameter, optimizer.attach(parameter, backend)]));
  }

  /** The parameters and what is kept of them, under the names by which they are saved: `fc1.weight`,
   *  `fc1.weight.momentum_buffer`. */
  get tensors(): [name: string, tensor: Tensor][] {
    return [...this.#updates].flatMap(([{ name, tensor }, { state }]) => [
      [name, tensor] as [string, Tensor],
      ...Object.entries(state).map(([stateName, kept]) => [`${name}.${stateName}`, kept] as [string, Tensor]),
    ]);
  }

  /** What is kept of the parameters. */
  get state(): Tensor[] {
    return [...this.#updates.values()].flatMap(({ state }) => Object.values(state));
  }

  /** Begins a step, counted from 1: where the gradient of each parameter goes in the backward pass. */
  begin(step: number, learningRate: number): Map<P, Sink> {
    return new Map([...this.#updates].map(([parameter, update]) => [parameter, update.begin(step, learningRate)]));
  }

  /** Ends the step, after the backward pass: every parameter is updated then. */
  end(): void {
    for (const update of this.#updates.values()) update.end?.();
  }
}
