import type { Pass } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { Random } from '../random.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import {
  type CompareOptions,
  type CoordinateSlope,
  compareWithDifferences,
  findWrongCoordinate,
  type GradientComparison,
} from './compare.ts';
import { type GateGradient, gateGradients, parameterGradients } from './gradients-under-test.ts';
import { PASS_ERROR } from './slope.ts';

/** Verdict on a relative error, after the CS231n notes; `unchecked` if kinks or rounding hid every slope. */
export type GradientVerdict = 'right' | 'acceptable' | 'suspicious' | 'wrong' | 'unchecked';

/** Largest relative errors that are `acceptable` and `suspicious`. The notes let objectives with kinks pass up to 1e-4,
 *  because a step may cross a kink; here none does, so the bound is that of smooth ones, for which "1e-4 is too high",
 *  with a margin over the 1e-7 that right gradients reach. Above 1e-2 a gradient is "probably wrong".
 *  Source: CS231n notes, "Neural Networks 3". */
const ACCEPTABLE_ERROR = 1e-6;
const SUSPICIOUS_ERROR = 1e-2;

const DEFAULT_DIRECTIONS = 3;
const DEFAULT_COORDINATES = 20;
/** Coordinates of each input of a gate. A few suffice: on a single gate the directions are exact enough to find any
 *  fault. */
const GATE_COORDINATES = 4;

interface CheckedGradient extends GradientComparison {
  readonly shape: readonly number[];
  readonly verdict: GradientVerdict;
  /** The larger of the errors of `direction` and `coordinate`; null if neither could be compared. */
  readonly relativeError: number | null;
}

/** Result for the gradient of the loss with respect to one parameter. */
export interface ParameterCheck extends CheckedGradient {
  readonly parameter: string;
}

/** Result for the backward of one gate, with respect to one of its inputs. */
export interface GateCheck extends CheckedGradient {
  readonly gate: string;
  /** Name of the wire that the gate computes. */
  readonly output: string;
  readonly input: string;
  /** A coordinate at which the gradient is wrong; null if the gradient passes. */
  readonly fault: CoordinateSlope | null;
}

/** Result of `checkGradients`. */
export interface GradientCheck {
  /** Whether every gradient is `right` or `acceptable`. */
  readonly passed: boolean;
  /** The loss at the values that were checked. */
  readonly loss: number;
  readonly parameters: readonly ParameterCheck[];
  readonly gates: readonly GateCheck[];
}

/** Options of `checkGradients`. */
export interface GradientCheckOptions {
  /** Directions along which each gradient is checked; each moves every coordinate. Default: 3. */
  readonly directions?: number | undefined;
  /** Coordinates of each parameter that are checked one by one. Default: 20. */
  readonly coordinates?: number | undefined;
  /** Seed of the directions, the coordinates and the dropout masks. Default: 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param share of the work done, in [0, 1]. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Compares backpropagation through a graph with central differences: the gradient of `loss` with respect to each
 *  parameter, and the backward of each gate alone, which locates a fault. Dropout and label smoothing act as in
 *  training. Leaves the parameters unchanged.
 *
 *  @throws TypeError on a float32 backend, whose rounding would hide the differences; ShapeError if `loss` is not a
 *  scalar; the signal's reason once it is aborted.
 *  Source: CS231n notes, "Neural Networks 3" (gradient checks). */
export async function checkGradients(
  graph: Graph,
  loss: Wire,
  options: GradientCheckOptions = {},
): Promise<GradientCheck> {
  const { seed = 0, coordinates = DEFAULT_COORDINATES } = options;
  const pass: Pass = { training: true, key: new Random(seed, 'gradient check').uint32() };
  const run = new CheckRun(options, graph);

  const parameters: ParameterCheck[] = [];
  for await (const gradient of parameterGradients(graph, loss, pass)) {
    const { name: parameter, shape } = gradient.wire;
    const comparison = await compareWithDifferences(gradient, run.next(parameter, coordinates));
    parameters.push({ parameter, shape, ...judge(comparison), ...comparison });
  }
  const gates: GateCheck[] = [];
  for await (const gradient of gateGradients(graph, pass, new Random(seed, 'upstream'))) {
    gates.push(await checkGate(gradient, run));
  }
  const passed = [...parameters, ...gates].every(({ verdict }) => verdict === 'right' || verdict === 'acceptable');
  return { passed, loss: (await graph.backend.read(loss.tensor))[0], parameters, gates };
}

async function checkGate(gradient: GateGradient, run: CheckRun): Promise<GateCheck> {
  const { entry, input } = gradient;
  const { gate, output, inputs } = entry;
  const options = run.next(`${output.name}/${input}`, GATE_COORDINATES);
  const comparison = await compareWithDifferences(gradient, options);
  const judgement = judge(comparison);
  const failed = judgement.verdict === 'suspicious' || judgement.verdict === 'wrong';
  return {
    gate: gate.name,
    output: output.name,
    input,
    shape: inputs[input].shape,
    ...judgement,
    ...comparison,
    fault: failed ? await findFault(gradient, comparison, options) : null,
  };
}

/** The worst of the coordinates that were compared if it fails, or else one found by search. */
async function findFault(
  gradient: GateGradient,
  { coordinate }: GradientComparison,
  options: CompareOptions,
): Promise<CoordinateSlope> {
  return coordinate && coordinate.error > ACCEPTABLE_ERROR ? coordinate : findWrongCoordinate(gradient, options);
}

function judge({ direction, coordinate }: GradientComparison): Pick<CheckedGradient, 'verdict' | 'relativeError'> {
  if (!direction && !coordinate) return { verdict: 'unchecked', relativeError: null };
  const relativeError = Math.max(direction?.error ?? 0, coordinate?.error ?? 0);
  return { verdict: verdictOn(relativeError), relativeError };
}

function verdictOn(relativeError: number): GradientVerdict {
  if (relativeError <= PASS_ERROR) return 'right';
  if (relativeError <= ACCEPTABLE_ERROR) return 'acceptable';
  return relativeError <= SUSPICIOUS_ERROR ? 'suspicious' : 'wrong';
}

/** Gives each comparison its options, counts evaluations for the progress, and yields to the event loop. */
class CheckRun {
  readonly #options: GradientCheckOptions;
  readonly #gradients: number;
  #started = 0;

  constructor(options: GradientCheckOptions, graph: Graph) {
    this.#options = options;
    const gateInputs = graph.tape.flatMap(({ inputs }) => Object.values(inputs));
    this.#gradients = graph.parameters.length + gateInputs.filter(({ tensor }) => tensor.dtype === 'float64').length;
  }

  next(name: string, coordinates: number): CompareOptions {
    const { directions = DEFAULT_DIRECTIONS, seed = 0, signal, onProgress } = this.#options;
    const before = this.#started++;
    const expected = 4 * (2 + directions + coordinates);
    let evaluations = 0;
    const onEvaluation = async () => {
      onProgress?.((before + Math.min(1, ++evaluations / expected)) / this.#gradients);
      await yieldToEventLoop();
      signal?.throwIfAborted();
    };
    return { directions, coordinates, random: new Random(seed, 'gradient check', name), onEvaluation };
  }
}
