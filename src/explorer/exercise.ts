import type { ExplainedWire, Explanation } from '../explain/explanation.ts';
import { endOf, inputKey } from '../explain/explanation-diagram.ts';
import type { Exercise } from '../lecture/example.ts';
import { type Use, usesOf } from './steps.ts';

/** The gradient that an exercise asks for, in a graph with the values of the moment. */
export interface Asked {
  /** The wire of the diagram that shows it. */
  readonly key: string;
  readonly wire: ExplainedWire;
  readonly element: number;
  /** The gates whose contributions it is the sum of. */
  readonly uses: readonly Use[];
  /** The right answer. */
  readonly gradient: number;
  readonly output: ExplainedWire;
}

/** Finds what an exercise asks for. @returns undefined if the explanation is that of another output. */
export function askedIn({ wire: name, element = 0, through, output }: Exercise, explanation: Explanation) {
  if (output !== undefined && output !== explanation.output.name) return undefined;
  const { leaves, gates } = explanation;
  const wire = [...leaves, ...gates.map((gate) => gate.output)].find((one) => one.name === name);
  if (!wire) return undefined;
  const all = usesOf(wire, explanation);
  const uses = through === undefined ? all : all.filter(({ gate }) => gate.output.name === through);
  const [use] = uses;
  const isTrunk = uses.length > 1;
  const gradients = through === undefined ? wire.gradient : use?.input.gradient;
  if (!gradients) return undefined;
  const key = isTrunk ? wire.id : use ? inputKey(use.gate, use.input.name) : endOf(wire);
  const asked: Asked = { key, wire, element, uses, gradient: gradients.values[element], output: explanation.output };
  return asked;
}
