import type { ExplainedGate } from '../explain/explanation.ts';

// Gates as formulas for people. The names are those of the gates in src/engine/gates and of the expressions' operations.

/** Local gradients of gates of two inputs a and b and the output y. */
const PAIRS: Readonly<Record<string, (a: string, b: string, y: string) => readonly [string, string]>> = {
  '+': () => ['1', '1'],
  '−': () => ['1', '−1'],
  '*': (a, b) => [b, a],
  '/': (a, b) => [`1/${b}`, `−${a}/${b}²`],
  '^': (a, b, y) => [`${b} · ${a}^(${b}−1)`, `${y} · ln ${a}`],
  max: (a, b) => [`1 if ${a} ≥ ${b}, else 0`, `1 if ${b} > ${a}, else 0`],
  min: (a, b) => [`1 if ${a} ≤ ${b}, else 0`, `1 if ${b} < ${a}, else 0`],
};

/** Local gradients of gates of one input x and the output y. */
const SINGLES: Readonly<Record<string, (x: string, y: string) => string>> = {
  exp: (_, y) => y,
  log: (x) => `1/${x}`,
  sqrt: (_, y) => `1/(2 ${y})`,
  abs: (x) => `sign of ${x}`,
  step: () => '0',
  sigmoid: (_, y) => `${y} (1 − ${y})`,
  tanh: (_, y) => `1 − ${y}²`,
  relu: (x) => `1 if ${x} > 0, else 0`,
  'leaky-relu': (x) => `1 if ${x} > 0, else 0.01`,
  norm2: (x) => `2 ${x}`,
  sum: () => '1',
};

const NUMBER = '(−?[\\d.]+(?:e[+−]?\\d+)?)';

/** Local gradients of gates in which one input is a constant c. */
const WITH_CONSTANT: readonly (readonly [RegExp, (c: string, x: string, y: string) => string])[] = [
  [new RegExp(`^[+−]${NUMBER}$`), () => '1'],
  [new RegExp(`^${NUMBER}−x$`), () => '−1'],
  [new RegExp(`^×${NUMBER}$`), (c) => c],
  [new RegExp(`^/${NUMBER}$`), (c) => `1/${c}`],
  [new RegExp(`^${NUMBER}/x$`), (c, x) => `−${c}/${x}²`],
  [new RegExp(`^\\^${NUMBER}$`), (c, x) => (c === '2' ? `2 ${x}` : `${c} · ${x}^(${c}−1)`)],
  [new RegExp(`^${NUMBER}\\^x$`), (c, _, y) => `${y} · ln ${c}`],
  [new RegExp(`^max\\(${NUMBER}, x\\)$`), (c, x) => `1 if ${x} > ${c}, else 0`],
  [new RegExp(`^max\\(x, ${NUMBER}\\)$`), (c, x) => `1 if ${x} ≥ ${c}, else 0`],
  [new RegExp(`^min\\(${NUMBER}, x\\)$`), (c, x) => `1 if ${x} < ${c}, else 0`],
  [new RegExp(`^min\\(x, ${NUMBER}\\)$`), (c, x) => `1 if ${x} ≤ ${c}, else 0`],
];

const INFIX = new Set(['+', '−', '*', '/', '^']);

/** What a gate computes: "q = x + y", "y = sigmoid(s)". @param nameOf what stands for an input: its name or its value. */
export function forwardText(gate: ExplainedGate, texts: readonly string[]): string {
  const [a, b] = texts;
  const { name } = gate;
  if (INFIX.has(name) && b !== undefined) return `${a} ${name === '*' ? '×' : name} ${b}`;
  if (name === 'matmul') return `${a} · ${b}`;
  if (texts.length > 1) return `${name}(${texts.join(', ')})`;
  if (/^[+−×/^]/.test(name)) return `${a} ${name[0]} ${name.slice(1)}`;
  if (WITH_CONSTANT.some(([pattern]) => pattern.test(name))) return name.replace(/(?<![a-z])x(?![a-z])/, a);
  return `${name}(${a})`;
}

/** The formula of a local gradient; undefined if the gate has none for people, or computes matrix products. */
export function localText(gate: ExplainedGate, input: string): string | undefined {
  const names = gate.inputs.map(({ wire }) => wire.name);
  const at = gate.inputs.findIndex(({ name }) => name === input);
  const { local } = gate.inputs[at];
  if (typeof local === 'string') return local;
  const output = gate.output.name;
  if (names.length === 2) return PAIRS[gate.name]?.(names[0], names[1], output)[at];
  for (const [pattern, formula] of WITH_CONSTANT) {
    const match = gate.name.match(pattern);
    if (match) return formula(match[1], names[0], output);
  }
  return SINGLES[gate.name]?.(names[0], output);
}
