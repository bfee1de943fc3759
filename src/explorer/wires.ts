import type { ExplainedWire, Explanation } from '../explain/explanation.ts';
import { endOf, inputKey } from '../explain/explanation-diagram.ts';
import type { Values } from '../explain/expression/values.ts';

/** A wire of a diagram. */
export interface ShownWire {
  readonly wire: ExplainedWire;
  /** That of the branch, or the sum on a trunk. */
  readonly gradient: Values | undefined;
  /** Output of the gate that a branch leads to; undefined for a trunk and at the end. */
  readonly from: string | undefined;
}

/** The wires of the diagram of an explanation, by key. */
export function wiresOf({ output, upstream, leaves, gates }: Explanation): Map<string, ShownWire> {
  const trunks = [...leaves, ...gates.map((gate) => gate.output)].map(
    (wire) => [wire.id, { wire, gradient: wire.gradient, from: undefined }] as const,
  );
  const branches = gates.flatMap((gate) =>
    gate.inputs.map(
      ({ name, wire, gradient }) => [inputKey(gate, name), { wire, gradient, from: gate.output.name }] as const,
    ),
  );
  return new Map<string, ShownWire>([
    ...trunks,
    ...branches,
    [endOf(output), { wire: output, gradient: upstream, from: undefined }],
  ]);
}
