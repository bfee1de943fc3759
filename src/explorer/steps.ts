import type { ExplainedGate, ExplainedInput, ExplainedWire, Explanation } from '../explain/explanation.ts';
import { endOf, inputKey } from '../explain/explanation-diagram.ts';

/** One step through backpropagation: the leaves, each gate forward, the upstream gradient of the output, each gate backward,
 *  and everything at once. */
export type Step =
  | { readonly kind: 'leaves' | 'upstream' | 'everything' }
  | { readonly kind: 'forward' | 'backward'; readonly gate: ExplainedGate };

export function stepsOf({ gates }: Explanation): Step[] {
  return [
    { kind: 'leaves' },
    ...gates.map((gate) => ({ kind: 'forward', gate }) as const),
    { kind: 'upstream' },
    ...gates.toReversed().map((gate) => ({ kind: 'backward', gate }) as const),
    { kind: 'everything' },
  ];
}

/** What is known at a step: the values and the gradients of wires, by the keys of a diagram. */
export interface Known {
  readonly values: ReadonlySet<string>;
  readonly gradients: ReadonlySet<string>;
}

/** A use of a wire: the input of a gate. */
export interface Use {
  readonly gate: ExplainedGate;
  readonly input: ExplainedInput;
}

/** The inputs that a wire is connected to, with the gradient that flows back from each, in the order of the gates. */
export function usesOf(wire: ExplainedWire, { gates }: Explanation): Use[] {
  return gates.flatMap((gate) => gate.inputs.flatMap((input) => (input.wire.id === wire.id ? [{ gate, input }] : [])));
}

/** The numbers that have been computed when a step is done. The gradient of a wire that branches is known once all of its
 *  branches have one. */
export function knownAt(explanation: Explanation, step: number): Known {
  const done = stepsOf(explanation).slice(0, step + 1);
  const gatesOf = (kind: Step['kind']) =>
    new Set(done.flatMap((one) => (one.kind === kind && 'gate' in one ? [one.gate] : [])));
  const [forward, backward] = [gatesOf('forward'), gatesOf('backward')];
  const { output, leaves, gates } = explanation;
  const values = [...leaves, ...gates.filter((gate) => forward.has(gate)).map((gate) => gate.output)].map(
    ({ id }) => id,
  );
  const gradients = new Set<string>(done.some(({ kind }) => kind === 'upstream') ? [endOf(output)] : []);
  for (const gate of backward) for (const { name } of gate.inputs) gradients.add(inputKey(gate, name));
  for (const wire of [...leaves, ...gates.map((gate) => gate.output)]) {
    const keys = usesOf(wire, explanation).map(({ gate, input }) => inputKey(gate, input.name));
    if (wire === output) keys.push(endOf(output));
    if (keys.every((key) => gradients.has(key))) gradients.add(wire.id);
  }
  return { values: new Set(values), gradients };
}

/** The wires of a diagram at which a step works, by key. */
export function activeAt(explanation: Explanation, step: number): ReadonlySet<string> {
  const current = stepsOf(explanation)[step];
  if (!('gate' in current)) return new Set(current.kind === 'upstream' ? [endOf(explanation.output)] : []);
  const { gate } = current;
  const outgoing = usesOf(gate.output, explanation).map((use) => inputKey(use.gate, use.input.name));
  const wires = [gate.output, ...gate.inputs.map(({ wire }) => wire)].map(({ id }) => id);
  const end = gate.output === explanation.output ? [endOf(gate.output)] : [];
  return new Set([...wires, ...outgoing, ...end, ...gate.inputs.map(({ name }) => inputKey(gate, name))]);
}
