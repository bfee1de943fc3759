import { sizeOf } from '../backends/backend.ts';
import type { ExplainedGate, ExplainedInput, Explanation } from './explanation.ts';
import { nested, shownShape, type Values } from './expression/values.ts';
import { meanAbsolute } from './format.ts';
import type { GraphExplanation } from './graph-explanation.ts';

/** A tensor with more elements is summarised. */
const MAX_NUMBERS = 1000;

/** Converts an explanation to JSON in full precision; the names are a contract. A tensor becomes a number, an array or
 *  an array of rows, or { shape, meanAbsolute, first } if it has more than 1000 elements. */
export function jsonOf({ explanations, jacobian }: GraphExplanation) {
  return { outputs: explanations.map(outputOf), jacobian: jacobian ?? null };
}

function outputOf({ output, upstream, leaves, gates }: Explanation) {
  return {
    name: output.name,
    value: numbersOf(output.value),
    upstream: numbersOf(upstream),
    leaves: leaves.map(({ name, kind, value, gradient }) => ({
      name,
      kind,
      value: numbersOf(value),
      gradient: numbersOf(gradient),
    })),
    gates: gates.map(gateOf),
  };
}

function gateOf({ name, inputs, output }: ExplainedGate) {
  return {
    output: output.name,
    gate: name,
    value: numbersOf(output.value),
    upstream: numbersOf(output.gradient),
    inputs: inputs.map(inputOf),
  };
}

function inputOf({ name, wire, local, gradient }: ExplainedInput) {
  return {
    name,
    wire: wire.name,
    value: numbersOf(wire.value),
    ...(typeof local === 'string' ? { formula: local } : { local: numbersOf(local) }),
    gradient: numbersOf(gradient),
  };
}

/** A tensor as in the JSON; null if there is none. */
export function numbersOf(values: Values | undefined) {
  if (values === undefined) return null;
  if (sizeOf(values.shape) <= MAX_NUMBERS) return nested(values);
  return {
    shape: shownShape(values.shape),
    meanAbsolute: meanAbsolute(values.values),
    first: Array.from({ length: 8 }, (_, i) => values.values[i]),
  };
}
