import { isWeight } from '../backends/backend.ts';
import { ReferenceBackend } from '../backends/reference/reference.ts';
import type { Config } from '../config/config.ts';
import type { Pass } from '../engine/gate.ts';
import { add } from '../engine/gates/add.ts';
import { l2Penalty } from '../engine/gates/l2-penalty.ts';
import type { Wire } from '../engine/wire.ts';
import { CLASS_COUNT, IMAGE_BYTES, type ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { Random } from '../random.ts';
import { plainBatch } from '../training/batches.ts';
import { loadBatch } from '../training/evaluate.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import type { Checkpoint } from '../training/progress.ts';
import { writeParameters } from '../training/restore.ts';
import { type GateClaim, gateClaims, parameterClaims } from './claims.ts';
import { type CoordinateSlope, type Examination, type ExamineOptions, examine, locate } from './examine.ts';
import { HAPPY } from './slope.ts';

/** What the notes make of a relative error; `unchecked` where kinks hid everything. */
export type GradientVerdict = 'right' | 'acceptable' | 'suspicious' | 'wrong' | 'unchecked';

/** Relative errors up to which a gradient passes, and from which it is "usually wrong". The notes let objectives with kinks
 *  pass up to 1e-4, because a step may cross a kink; here none does, so the bound is that of smooth ones, for which "1e-4 is
 *  too high", with a margin over the 1e-7 that right gradients reach.
 *  Source: CS231n notes, "Neural Networks 3". */
const LIMIT = 1e-6;
const USUALLY_WRONG = 1e-2;
/** Coordinates of each input of a gate: the directions, which feel every one, are exact enough there to find any fault. */
const GATE_COORDINATES = 4;

/** The gradient by a parameter, or by one input of one gate. */
interface Judged extends Examination {
  readonly shape: readonly number[];
  readonly verdict: GradientVerdict;
}

export interface ParameterGradient extends Judged {
  readonly parameter: string;
}

export interface GateGradient extends Judged {
  readonly gate: string;
  /** The name of what the gate computes. */
  readonly output: string;
  readonly input: string;
  /** Where the gradient is wrong, if it is. */
  readonly fault: CoordinateSlope | null;
}

export interface GradientReport {
  /** Of the images, in training: with dropout, label smoothing and the L2 term. */
  readonly loss: number;
  /** λ of the L2 term in the loss; 0 if it has none. */
  readonly weightDecay: number;
  readonly parameters: readonly ParameterGradient[];
  readonly gates: readonly GateGradient[];
  readonly passed: boolean;
}

export interface GradientOptions {
  readonly config: Config;
  readonly images: ImageSet;
  /** The rows of the images that make the batch. */
  readonly indices: Uint32Array;
  /** Weights to check at; the initial ones unless they are given. */
  readonly tensors?: Checkpoint['tensors'] | undefined;
  readonly directions: number;
  readonly coordinates: number;
  readonly signal?: AbortSignal | undefined;
  /** @param share of the work that is done, in [0, 1]. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Checks backpropagation through a model in float64: the gradient of the loss by each parameter, and the backward of each
 *  gate by itself, so that a fault has a place.
 *  @throws UserError if the tensors do not fit the model; the signal's reason, once it is aborted. */
export async function checkModelGradients(options: GradientOptions): Promise<GradientReport> {
  const { config } = options;
  const { model, loss, weightDecay } = objectiveOf(options);
  const pass: Pass = { training: true, key: new Random(config.seed, 'gradient check').uint32() };
  const pace = new Pace(options, model);

  const parameters: ParameterGradient[] = [];
  for await (const claim of parameterClaims(model.graph, loss, pass)) {
    const { name: parameter, shape } = claim.wire;
    const examination = await examine(claim, pace.next(parameter));
    parameters.push({ parameter, shape, verdict: verdictOf(examination), ...examination });
  }
  const gates: GateGradient[] = [];
  for await (const claim of gateClaims(model.graph, pass, new Random(config.seed, 'upstream'))) {
    gates.push(await judgeGate(claim, pace));
  }
  return {
    loss: (await model.graph.backend.read(loss.tensor))[0],
    weightDecay,
    parameters,
    gates,
    passed: [...parameters, ...gates].every(({ verdict }) => verdict === 'right' || verdict === 'acceptable'),
  };
}

/** The model in float64, with a batch loaded, and what it minimises: its loss, plus λ/2 ‖W‖² for each weight unless the
 *  decay is decoupled, when it belongs to no loss. */
function objectiveOf({ config, images, indices, tensors }: GradientOptions): {
  model: Model;
  loss: Wire;
  weightDecay: number;
} {
  // The images as real numbers, not as bytes, so that the gradient by them can be checked, too.
  const size = { inputs: IMAGE_BYTES, classes: CLASS_COUNT };
  const model = buildModel(new ReferenceBackend('float64'), config, indices.length, size);
  if (tensors) writeParameters(model, tensors);
  else initialise(model, config);
  loadBatch(model, images, plainBatch(indices));
  const weightDecay = config.optimizer === 'sgd' ? config.weightDecay : 0;
  return { model, weightDecay, loss: weightDecay > 0 ? regularised(model, weightDecay) : model.loss };
}

/** The loss plus the L2 term of every weight; biases have none. */
export function regularised({ graph, loss }: Model, weightDecay: number): Wire {
  const penalty = l2Penalty(weightDecay);
  return graph.parameters.filter(isWeight).reduce((sum, weight) => {
    const term = graph.apply(penalty, { weight }, `penalty of ${weight.name}`);
    return graph.apply(add, { a: sum, b: term }, 'regularised loss');
  }, loss);
}

async function judgeGate(claim: GateClaim, pace: Pace): Promise<GateGradient> {
  const { entry, input } = claim;
  const { gate, output, inputs } = entry;
  const options = pace.next(`${output.name}/${input}`, GATE_COORDINATES);
  const examination = await examine(claim, options);
  const verdict = verdictOf(examination);
  const failed = verdict === 'suspicious' || verdict === 'wrong';
  return {
    gate: gate.name,
    output: output.name,
    input,
    shape: inputs[input].shape,
    verdict,
    ...examination,
    fault: failed ? await faultOf(claim, examination, options) : null,
  };
}

/** The coordinate to show: the worst of those that were looked at, if that one fails, and else one that is searched for. */
async function faultOf(
  claim: GateClaim,
  { coordinate }: Examination,
  options: ExamineOptions,
): Promise<CoordinateSlope> {
  return coordinate && coordinate.error > LIMIT ? coordinate : locate(claim, options);
}

function verdictOf({ direction, coordinate }: Examination): GradientVerdict {
  if (!direction && !coordinate) return 'unchecked';
  const error = Math.max(direction?.error ?? 0, coordinate?.error ?? 0);
  if (error <= HAPPY) return 'right';
  if (error <= LIMIT) return 'acceptable';
  return error <= USUALLY_WRONG ? 'suspicious' : 'wrong';
}

/** Hands out the options of one examination after the other, lets signals have their turn, and counts. */
class Pace {
  readonly #options: GradientOptions;
  readonly #claims: number;
  #begun = 0;

  constructor(options: GradientOptions, { graph }: Model) {
    this.#options = options;
    const gateInputs = graph.tape.flatMap(({ inputs }) => Object.values(inputs));
    this.#claims = graph.parameters.length + gateInputs.filter(({ tensor }) => tensor.dtype === 'float64').length;
  }

  next(name: string, coordinates = this.#options.coordinates): ExamineOptions {
    const { directions, config, signal, onProgress } = this.#options;
    const before = this.#begun++;
    const expected = 4 * (2 + directions + coordinates);
    let evaluations = 0;
    const onEvaluation = async () => {
      onProgress?.((before + Math.min(1, ++evaluations / expected)) / this.#claims);
      await yieldToEventLoop();
      signal?.throwIfAborted();
    };
    return { directions, coordinates, random: new Random(config.seed, 'gradient check', name), onEvaluation };
  }
}
