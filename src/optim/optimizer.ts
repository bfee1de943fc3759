import { type Backend, isWeight, type Shape, type Tensor, type WritingSink } from '../backends/backend.ts';
import type { UpdateRule } from '../backends/update-rules.ts';

/** Hyperparameters of the optimisers. */
export interface OptimizerSettings {
  /** Peak learning rate η. */
  readonly lr: number;
  /** Peak learning rate of the parameters that Muon leaves to SGD. */
  readonly headLr: number;
  /** μ of SGD, in [0, 1). */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** λ, ≥ 0; biases do not decay. */
  readonly weightDecay: number;
}

/** Everything about one optimiser except the arithmetic of its rule, which belongs to the backends. */
export interface OptimizerDefinition {
  /** Peak learning rate η₀, by loss and model, from which the default for a batch and a layer follows. */
  readonly learningRate: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** `l2`: the gradient of λ/2 · ‖W‖² is added to that of the loss. `decoupled`: weights shrink separately. */
  readonly weightDecay: 'l2' | 'decoupled';
  /** Optional hyperparameters that this optimiser uses. */
  readonly hyperparameters: readonly ('momentum' | 'nesterov' | 'headLr')[];
  create(settings: OptimizerSettings): Optimizer;
}

/** A parameter of a model. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  readonly tensor: Tensor;
  /** The number of matrices stacked in it, for an optimiser that treats each as a whole; 0 for biases and for the output
   *  layer of a network. */
  readonly matrices: number;
}

/** Turns the gradients of parameters into updates. */
export interface Optimizer {
  /** Starts optimising a parameter, with zero state. */
  attach(parameter: Parameter, backend: Backend): ParameterUpdate;
}

/** The update of one parameter by an optimiser. */
export interface ParameterUpdate {
  /** Tensors to save with the parameter, keyed by their names in PyTorch. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Begins a step and returns the sink for the parameter's gradient. @param step counted from 1. */
  begin(step: number, learningRate: number): WritingSink;
  /** Ends the step, after the backward pass; for rules that need the whole gradient before they update. */
  end?(): void;
}

/** An optimiser that updates each element from its own gradient alone, so that a backend can apply it to each piece of
 *  the gradient as soon as it is computed.
 *  @param state names of the tensors kept for each parameter, each of the parameter's shape.
 *  @param rule returns the update rule of a step, counted from 1; `decays` tells whether the parameter has weight decay. */
export function elementwiseOptimizer(
  state: readonly string[],
  rule: (step: number, learningRate: number, decays: boolean) => UpdateRule,
): Optimizer {
  return {
    attach(parameter, backend) {
      const { shape, tensor } = parameter;
      const tensors = state.map(() => backend.allocate(shape));
      const decays = isWeight(parameter);
      return {
        state: Object.fromEntries(state.map((name, i) => [name, tensors[i]])),
        begin: (step, learningRate) => ({
          kind: 'update',
          tensor,
          rule: rule(step, learningRate, decays),
          state: tensors,
        }),
      };
    },
  };
}
