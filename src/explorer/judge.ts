import { elementName } from './elements.ts';
import type { Asked } from './exercise.ts';
import { localText } from './formulas.ts';

const NUMBER = '([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?)';
const ANSWER = new RegExp(`^${NUMBER}(?:\\s*/\\s*${NUMBER})?$`, 'i');

/** Reads a number as people write it: -4, −4, 0.2, 0,2, 1e-3, 1/3. @returns NaN for anything else. */
export function readNumber(text: string): number {
  const match = text.trim().replaceAll('−', '-').replace(',', '.').match(ANSWER);
  return match ? Number(match[1]) / Number(match[2] ?? 1) : Number.NaN;
}

/** Whether an answer has the two digits of the right number to which the lecture rounds. An integer must be met exactly. */
export function agrees(answer: number, right: number): boolean {
  const digits = Number.isInteger(Number(right.toFixed(9)))
    ? 1e-9
    : 10 ** (Math.floor(Math.log10(Math.abs(right))) - 1) / 2;
  return Math.abs(answer - right) <= digits * (1 + 1e-9);
}

/** @param answer what was typed. @returns what is wrong with it; undefined if it is right. */
export function judge(answer: string, asked: Asked): string | undefined {
  const number = readNumber(answer);
  if (!Number.isFinite(number)) return 'Type a number, such as -4, 0.2 or 1/3.';
  const { gradient } = asked;
  if (agrees(number, gradient)) return undefined;
  const mistake = mistaken(number, asked);
  if (mistake !== undefined) return mistake;
  if (agrees(-number, gradient)) return 'The size is right, the sign is not.';
  return Math.abs(number - gradient) <= 0.1 * Math.abs(gradient) ? 'Close, but not to two digits.' : advice(asked);
}

/** Recognises another number of the graph. */
function mistaken(number: number, { wire, element, uses, output }: Asked): string | undefined {
  const name = elementName(wire.name, wire.value.shape, element);
  const [{ gate, input } = {}] = uses;
  if (uses.length > 1 && uses.some((use) => use.input.gradient && agrees(number, use.input.gradient.values[element]))) {
    return `That is what one gate sends back. ${name} goes to ${uses.length} gates: add up what each of them sends back.`;
  }
  const upstream = gate?.output.gradient?.values;
  if (gate && upstream?.length === 1 && agrees(number, upstream[0])) {
    return `That is the gradient that arrives at the gate ${gate.name}. Multiply it by the gate's local gradient.`;
  }
  if (gate && typeof input?.local === 'object' && agrees(number, input.local.values[element])) {
    return `That is the local gradient of the gate ${gate.name}. Multiply it by the gradient that arrives there.`;
  }
  if (agrees(number, wire.value.values[element])) {
    return `That is the value of ${name}. Its gradient says how many times as much ${output.name} changes.`;
  }
  return undefined;
}

/** How to find the answer. */
function advice({ uses }: Asked): string {
  const [{ gate, input } = {}] = uses;
  if (!gate || !input) return 'No.';
  if (uses.length > 1) {
    return `No. ${input.wire.name} goes to ${uses.length} gates: add up upstream × local of each of them.`;
  }
  const [y, x] = [gate.output.name, input.wire.name];
  const formula = localText(gate, input.name);
  if (typeof input.local === 'string') return `No. Its gradient is ${formula}, where upstream is that of ${y}.`;
  const local = `∂${y}/∂${x}${formula === undefined ? '' : ` = ${formula}`}`;
  return `No. Take the gradient that arrives at the gate ${gate.name}, and multiply it by the local gradient ${local}.`;
}
