import type { Backend, Groups, Tensor, WritingSink } from '../backends/backend.ts';
import type { OptimizerDefinition, OptimizerSettings, Parameter, ParameterUpdate } from './optimizer.ts';
import { sgd } from './sgd.ts';

/** Coefficients of an iteration, a + b s + c s² in a singular value s, and their number. They do not converge to 1 exactly,
 *  but bring every singular value near it, about 0.7 to 1.2, in few steps. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STEPS = 5;

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
  const iterationProducts = 4 * STEPS - 2;
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
  #gram: Tensor;
  #root: Tensor;
  #spare: Tensor;
  readonly #polynomial: Tensor;
  readonly #first: Tensor;
  readonly #constants: { readonly one: Tensor; readonly aI: Tensor; readonly bI: Tensor };

  constructor(backend: Backend, u: Tensor, matrices: number) {
    const [F, K] = [u.shape[0] / matrices, u.shape[1]];
    const M = Math.min(F, K);
    const allocate = () => backend.allocate([matrices * M, M]);
    const diagonal = (value: number) => {
      const result = allocate();
      const isDiagonal = (i: number) => Math.floor(i / M) % M === i % M;
      backend.write(
        result,
        Float64Array.from({ length: matrices * M * M }, (_, i) => (isDiagonal(i) ? value : 0)),
      );
      return result;
    };
    this.#backend = backend;
    this.#u = u;
    this.#isWide = F <= K;
    this.#groups = { count: matrices, a: 'stacked', b: 'stacked', into: 'stacked' };
    [this.#gram, this.#root, this.#spare] = [allocate(), allocate(), allocate()];
    [this.#polynomial, this.#first] = [allocate(), allocate()];
    this.#constants = { one: backend.allocate([]), aI: diagonal(A), bI: diagonal(B) };
    backend.write(this.#constants.one, [1]);
  }

  /** Sends o to a sink. */
  run(into: WritingSink): void {
    const groups = this.#groups;
    const transposes = this.#isWide ? { transposeB: true } : { transposeA: true };
    const gram = { ...transposes, groups, symmetric: true };
    this.#backend.matmul(this.#u, this.#u, { kind: 'store', tensor: this.#spare }, gram);
    this.#backend.normalise(this.#spare, groups.count, this.#gram, this.#root);
    for (let step = 1; step <= STEPS; step++) this.#iterate(step === STEPS);
    const [left, right] = this.#isWide ? [this.#root, this.#u] : [this.#u, this.#root];
    this.#backend.matmul(left, right, into, { groups });
  }

  #iterate(isLast: boolean): void {
    const backend = this.#backend;
    const { one, aI, bI } = this.#constants;
    backend.scale(this.#gram, C, one, { kind: 'store', tensor: this.#first });
    backend.deliver(bI, { kind: 'add', tensor: this.#first });
    this.#multiply(this.#gram, this.#first, this.#polynomial);
    backend.deliver(aI, { kind: 'add', tensor: this.#polynomial });

    this.#multiply(this.#polynomial, this.#root, this.#spare);
    [this.#root, this.#spare] = [this.#spare, this.#root];
    if (isLast) return;
    this.#multiply(this.#polynomial, this.#gram, this.#first);
    this.#multiply(this.#first, this.#polynomial, this.#gram);
  }

  /** The product of two polynomials in the same symmetric matrix, which is symmetric too. */
  #multiply(a: Tensor, b: Tensor, into: Tensor): void {
    this.#backend.matmul(a, b, { kind: 'store', tensor: into }, { groups: this.#groups, symmetric: true });
  }
}
