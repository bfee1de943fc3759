import type { Backend, Groups, NewtonSchulz, Tensor, WritingSink } from '../backends/backend.ts';
import type { OptimizerDefinition, OptimizerSettings, Parameter, ParameterUpdate } from './optimizer.ts';
import { sgd } from './sgd.ts';

/** Takes every singular value not to 1, but near it, to about 0.7 to 1.2, in few steps. */
const ITERATION: NewtonSchulz = { coefficients: [3.4445, -4.775, 2.0315], steps: 5 };

/** Muon with *decoupled* weight decay λ, for a matrix w [F, K] with the gradient g; each of P stacked matrices is updated by
 *  itself:
 *
 *      v ← μ v + g
 *      u = v                       or, with Nesterov momentum, u = g + μ v
 *      o = the matrix nearest to u with orthogonal rows, roughly: u = U S Vᵀ ↦ U Vᵀ
 *      w ← w − η (√max(1, F/K) o + λ w)
 *
 *  o is computed by Newton–Schulz iterations, on u uᵀ instead of u, as it is smaller: with G = u uᵀ/s and Z = I/√s, where s is
 *  a bound of the largest eigenvalue, five times
 *
 *      Q = a I + b G + c G²,   Z ← Q Z,   G ← Q G Q
 *
 *  and then o = Z u. If F > K, the same with uᵀ u and o = u Z. Biases and the output layer are left to SGD with the learning
 *  rate `headLr`, the same momentum and no decay.
 *  Source: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); torch.optim.Muon. */
export const muon = {
  learningRate: { softmax: { linear: 0.004, mlp: 0.0375 }, hinge: { linear: 0.004, mlp: 0.0375 } },
  weightDecay: 'decoupled',
  hyperparameters: ['momentum', 'nesterov', 'headLr'],
  create(settings) {
    const head = sgd.create({ ...settings, weightDecay: 0 });
    return {
      attach(parameter, backend) {
        return parameter.matrices > 0
          ? new MatrixUpdate(parameter, backend, settings)
          : withRate(head.attach(parameter, backend), settings.headLr / settings.lr);
      },
    };
  },
} as const satisfies OptimizerDefinition;

/** Multiplications and additions of an update of one matrix [F, K]; of a symmetric product, one half is computed. */
export function muonOperations(F: number, K: number): number {
  const [M, L] = [Math.min(F, K), Math.max(F, K)];
  const iterationProducts = 4 * ITERATION.steps - 2;
  return M * (M + 1) * L + iterationProducts * M * (M + 1) * M + 2 * M * M * L;
}

/** The same update at a multiple of the learning rate. */
function withRate(update: ParameterUpdate, factor: number): ParameterUpdate {
  return { ...update, begin: (step, learningRate) => update.begin(step, learningRate * factor) };
}

/** The update of a parameter that stacks P matrices. */
class MatrixUpdate implements ParameterUpdate {
  readonly state: ParameterUpdate['state'];
  readonly #parameter: Parameter;
  readonly #settings: OptimizerSettings;
  readonly #direction: Tensor;
  readonly #orthogonaliser: Orthogonaliser;
  #learningRate = 0;

  constructor(parameter: Parameter, backend: Backend, settings: OptimizerSettings) {
    this.#parameter = parameter;
    this.#settings = settings;
    this.state = { momentum_buffer: backend.allocate(parameter.shape) };
    this.#direction = backend.allocate(parameter.shape);
    this.#orthogonaliser = new Orthogonaliser(backend, this.#direction, parameter.matrices);
  }

  /** The gradient becomes the direction u; `end` updates the parameter. */
  begin(_step: number, learningRate: number): WritingSink {
    const { momentum, nesterov } = this.#settings;
    this.#learningRate = learningRate;
    const rule = { kind: 'direction', momentum, nesterov } as const;
    return { kind: 'update', tensor: this.#direction, rule, state: Object.values(this.state) };
  }

  end(): void {
    const { shape, tensor, matrices } = this.#parameter;
    const stretch = Math.sqrt(Math.max(1, shape[0] / matrices / shape[1]));
    const rule = {
      kind: 'sgd',
      learningRate: this.#learningRate * stretch,
      momentum: 0,
      nesterov: false,
      weightDecay: this.#settings.weightDecay / stretch,
    } as const;
    this.#orthogonaliser.run({ kind: 'update', tensor, rule, state: [] });
  }
}

/** Computes the orthogonal matrices o nearest to P stacked matrices u. */
class Orthogonaliser {
  readonly #backend: Backend;
  readonly #u: Tensor;
  readonly #isWide: boolean;
  readonly #groups: Groups;
  /** [P·M, M] each, with M = min(F, K). */
  readonly #gram: Tensor;
  readonly #root: Tensor;

  constructor(backend: Backend, u: Tensor, matrices: number) {
    const [F, K] = [u.shape[0] / matrices, u.shape[1]];
    const M = Math.min(F, K);
    this.#backend = backend;
    this.#u = u;
    this.#isWide = F <= K;
    this.#groups = { count: matrices, a: 'stacked', b: 'stacked', into: 'stacked' };
    [this.#gram, this.#root] = [backend.allocate([matrices * M, M]), backend.allocate([matrices * M, M])];
  }

  /** Sends o to a sink. */
  run(into: WritingSink): void {
    const groups = this.#groups;
    const transposes = this.#isWide ? { transposeB: true } : { transposeA: true };
    const gram = { ...transposes, groups, symmetric: true };
    this.#backend.matmul(this.#u, this.#u, { kind: 'store', tensor: this.#gram }, gram);
    this.#backend.newtonSchulz(this.#gram, groups.count, ITERATION, this.#root);
    const [left, right] = this.#isWide ? [this.#root, this.#u] : [this.#u, this.#root];
    this.#backend.matmul(left, right, into, { groups });
  }
}
