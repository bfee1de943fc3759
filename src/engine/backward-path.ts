import { type Backend, sizeOf } from '../backends/backend.ts';
import type { Gate } from './gate.ts';
import type { Wire } from './wire.ts';

/** One application of a gate. */
export interface TapeEntry<B extends Backend = Backend> {
  readonly gate: Gate<string, B>;
  readonly inputs: Readonly<Record<string, Wire>>;
  readonly output: Wire;
}

/** The gates that a backward pass visits. */
export interface BackwardPath<Entry extends TapeEntry> {
  /** From the loss to the leaves: each entry, and its inputs that get a gradient, in the order in which they get it. */
  readonly steps: readonly BackwardStep<Entry>[];
  /** The step of the gate that computed a wire. */
  readonly stepOf: ReadonlyMap<Wire, BackwardStep<Entry>>;
  /** How many times each wire is an input of a step. */
  readonly uses: ReadonlyMap<Wire, number>;
}

interface BackwardStep<Entry extends TapeEntry> {
  readonly entry: Entry;
  readonly inputs: readonly GateInput[];
}

export type GateInput = readonly [name: string, wire: Wire];

/** Finds the entries of the tape that lie between the loss and a parameter. */
export function findBackwardPath<Entry extends TapeEntry>(tape: readonly Entry[], loss: Wire): BackwardPath<Entry> {
  const reached = new Set([loss]);
  const uses = new Map<Wire, number>();
  const steps: BackwardStep<Entry>[] = [];
  for (const entry of tape.toReversed()) {
    if (!reached.has(entry.output) || !entry.output.needsGradient) continue;
    for (const wire of Object.values(entry.inputs)) reached.add(wire);
    const inputs = inputsWithGradient(entry);
    for (const [, wire] of inputs) uses.set(wire, (uses.get(wire) ?? 0) + 1);
    steps.push({ entry, inputs });
  }
  return { steps, stepOf: new Map(steps.map((step) => [step.entry.output, step])), uses };
}

/** The inputs of an entry that need a gradient, the largest parameter last. Only the last gradient may go straight to its
 *  sink: an update changes the parameter, and the gradients of the other inputs need the old value. The others are stored
 *  first, which costs little, and sent to their sinks at the end. */
function inputsWithGradient(entry: TapeEntry): GateInput[] {
  const rank = ({ isParameter, shape }: Wire) => (isParameter ? sizeOf(shape) : -1);
  return Object.entries(entry.inputs)
    .filter(([, wire]) => wire.needsGradient)
    .sort(([, a], [, b]) => rank(a) - rank(b));
}
