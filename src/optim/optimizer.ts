import { type Backend, isWeight, type Shape, type Sink, type Tensor } from '../backends/backend.ts';
import type { UpdateRule } from '../backends/update-rules.ts';

/** The hyperparameters that optimisers read. */
export interface OptimizerSettings {
  /** μ of SGD, in [0, 1). */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** λ, ≥ 0; biases are spared. */
  readonly weightDecay: number;
}

/** Everything that the project knows of one optimiser beside the arithmetic of its rule, which is the backends'. */
export interface OptimizerDefinition {
  /** Default peak learning rate, by loss and model. */
  readonly learningRate: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** `l2`: the gradient of λ/2 · ‖W‖² is added to that of the loss. `decoupled`: weights shrink apart from it. */
  readonly weightDecay: 'l2' | 'decoupled';
  /** Hyperparameters that have no effect unless an optimiser lists them. */
  readonly hyperparameters: readonly ('momentum' | 'nesterov')[];
  create(settings: OptimizerSettings): Optimizer;
}

/** A parameter of a model. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  readonly tensor: Tensor;
}

/** Turns the gradients of parameters into updates. */
export interface Optimizer {
  /** Begins to optimise one parameter: its state is zero. */
  attach(parameter: Parameter, backend: Backend): ParameterUpdate;
}

/** One parameter under an optimiser. */
export interface ParameterUpdate {
  /** Tensors to save with the parameter, under their names in PyTorch. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Where the gradient of a step goes. @param step counted from 1. */
  begin(step: number, learningRate: number): Sink;
  /** Ends the step, after the backward pass: for rules that need the whole gradient before they change anything. */
  end?(): void;
}

/** An optimiser that needs of the gradient only the element that it updates, so that a backend can apply it to each
 *  piece of the gradient as soon as that is there.
 *  @param state the names of what is kept for each parameter, each a tensor of its shape.
 *  @param rule the numbers of a step, counted from 1. @param decays whether weight decay acts on the parameter. */
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
