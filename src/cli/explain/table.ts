import type { ExplainedGate, ExplainedInput, ExplainedWire, Explanation } from '../../explain/explanation.ts';
import type { Values } from '../../explain/expression/values.ts';
import { type Detail, isAbbreviated, isScalar, linesOf, numberText } from '../../explain/format.ts';
import type { GraphExplanation } from '../../explain/graph-explanation.ts';
import type { Jacobian } from '../../explain/jacobian.ts';
import * as format from '../terminal/format.ts';
import type { painter } from '../terminal/io.ts';
import { type Column, type Row, tableLines, tableWidth } from '../terminal/table.ts';

type Paint = ReturnType<typeof painter>;

/** Layouts from the most to the least detailed; the first that fits the terminal is used. */
const DETAILS: readonly Detail[] = [
  { digits: 4, rows: 8, columns: 8, gap: 2 },
  { digits: 4, rows: 8, columns: 8, gap: 1 },
  { digits: 3, rows: 8, columns: 8, gap: 1 },
  { digits: 3, rows: 8, columns: 4, gap: 1 },
  { digits: 4, rows: 8, columns: 2, gap: 1, isNarrow: true },
];

/** Widths of the longest name and of a narrow cell. */
const [MAX_NAME, NARROW] = [21, 9];

/** The answer as text: for each output a table of the gates and one of the gradients, then the Jacobian.
 *  @param width of the terminal. */
export function answerLines({ explanations, jacobian }: GraphExplanation, paint: Paint, width: number): string[] {
  const tables = explanations.map((explanation) => {
    const of = explanations.length === 1 ? [] : [paint('bold', `backward from ${explanation.output.name}`), ''];
    return [...of, ...explanationLines(explanation, paint, width)];
  });
  if (jacobian) tables.push(jacobianLines(jacobian, paint, width));
  return tables.flatMap((table, i) => (i === 0 ? table : ['', ...table]));
}

function explanationLines({ output, gates, leaves }: Explanation, paint: Paint, width: number): string[] {
  const added = gates.map((gate) => gate.output).filter((wire) => contributionsTo(wire, gates).length > 1);
  const totals = [...leaves, ...added];
  const hasSums = totals.some((wire) => contributionsTo(wire, gates).length > 1);
  const summary = [...TOTALS.slice(0, 2), { ...TOTALS[2], header: `gradient of ${output.name}` }, ...TOTALS.slice(3)];
  const columns = hasSums ? summary : summary.slice(0, 3);
  return [
    ...fitted(GATES, (detail) => gates.map((gate) => gateRow(gate, detail)), paint, width),
    '',
    ...fitted(
      columns,
      (detail) => totals.map((wire) => totalRow(wire, gates, detail).slice(0, columns.length)),
      paint,
      width,
    ),
  ];
}

function fitted(columns: readonly Column[], rowsOf: (detail: Detail) => Row[], paint: Paint, width: number): string[] {
  const rows = DETAILS.map(rowsOf);
  const fitting = rows.find((some) => tableWidth(columns, some) <= width);
  return tableLines(columns, fitting ?? rows.at(-2)!, paint, width);
}

const GATES: readonly Column[] = [
  { header: 'wire', align: 'left' },
  { header: 'gate', align: 'left' },
  { header: 'value', align: 'right', style: 'green' },
  { header: 'upstream', align: 'right', style: 'red' },
  { header: 'input', align: 'left' },
  { header: 'local', align: 'right' },
  { header: 'product', align: 'right', style: 'red' },
];

function gateRow({ name, inputs, output }: ExplainedGate, detail: Detail): Row {
  const cells = inputs.map((input) => inputCells(input, detail));
  const heights = cells.map((lines) => Math.max(...lines.map(({ length }) => length)));
  const stacked = (column: number) =>
    cells.flatMap((lines, i) => Array.from({ length: heights[i] }, (_, k) => lines[column][k] ?? ''));
  const wire = shortened(output.name);
  return [
    words(wire, detail),
    words(name === wire ? '' : name, detail),
    linesOf(output.value, detail),
    textOf(output.gradient, detail),
    stacked(0),
    stacked(1),
    stacked(2),
  ];
}

/** The value of a scalar follows its name; that of a tensor is shown with the gate that computes it. */
function inputCells({ wire, local, gradient }: ExplainedInput, detail: Detail): string[][] {
  const name = shortened(wire.name);
  const isPlain = isScalar(wire.value) && wire.name !== linesOf(wire.value, detail)[0].replace('-', '−');
  return [
    words(isPlain ? `${name} = ${linesOf(wire.value, detail)[0]}` : name, detail),
    typeof local === 'string' ? words(local, detail) : textOf(local, detail),
    textOf(gradient, detail),
  ];
}

const TOTALS: readonly Column[] = [
  { header: 'wire', align: 'left' },
  { header: 'value', align: 'right', style: 'green' },
  { header: 'gradient', align: 'right', style: 'red' },
  { header: 'which is the sum of', align: 'left' },
];

function totalRow(wire: ExplainedWire, gates: readonly ExplainedGate[], detail: Detail): Row {
  const contributions = contributionsTo(wire, gates);
  const terms = contributions.map(({ gate, gradient }) => ({
    text: isScalar(gradient) ? numberText(gradient.values[0], detail.digits) : 'the gradient',
    from: `through ${shortened(gate.output.name)}`,
  }));
  const longest = Math.max(0, ...terms.map(({ text }) => text.length));
  return [
    [shortened(wire.name)],
    linesOf(wire.value, detail),
    textOf(wire.gradient, detail),
    terms.length > 1 ? terms.map(({ text, from }) => `${text.padStart(longest)} ${from}`) : [''],
  ];
}

/** The gradients that are summed into the gradient of a wire, with the gates they come through. */
function contributionsTo(wire: ExplainedWire, gates: readonly ExplainedGate[]) {
  return gates.flatMap((gate) =>
    gate.inputs.flatMap((input) => (input.wire === wire && input.gradient ? [{ gate, gradient: input.gradient }] : [])),
  );
}

function jacobianLines({ rows, columns, values }: Jacobian, paint: Paint, width: number): string[] {
  const heads: Column[] = columns.map((header) => ({ header, align: 'right', style: 'red' }));
  const body = (detail: Detail) =>
    rows.map((name, i) => [[name], ...values[i].map((value) => [numberText(value, detail.digits)])]);
  return fitted([{ header: 'Jacobian', align: 'left' }, ...heads], body, paint, width);
}

function textOf(values: Values | undefined, detail: Detail): string[] {
  return values ? linesOf(values, detail) : ['–'];
}

/** Text, wrapped between words in a narrow layout. */
function words(text: string, { isNarrow }: Detail): string[] {
  return isNarrow ? format.wrap(text, NARROW) : [text];
}

function shortened(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}

/** Paragraphs that explain the upstream gradient, undefined gradients and abbreviations. */
export function notesOn({ explanations }: GraphExplanation, hasUpstream: boolean): string[] {
  const notes: string[] = [];
  const tensors = explanations.filter(({ output }) => !isScalar(output.value)).map(({ output }) => output.name);
  if (tensors.length > 0 && !hasUpstream) {
    notes.push(
      `The upstream gradient of ${tensors.join(', ')} is 1 for every element (--upstream sets another): these are the ` +
        'gradients of the sum of its elements.',
    );
  }
  for (const { output, gates } of explanations) {
    for (const { name, inputs, output: made } of gates) {
      const odd = inputs.filter(({ gradient }) => gradient && !Array.from(gradient.values).every(Number.isFinite));
      for (const { wire } of odd) {
        notes.push(`The gradient of ${output.name} by ${wire.name} through ${made.name} (${name}) is undefined here.`);
      }
    }
  }
  const values = explanations.flatMap(({ leaves, gates }) => [...leaves, ...gates.map((gate) => gate.output)]);
  if (values.some(({ value }) => isAbbreviated(value, DETAILS[0]))) {
    notes.push('Large tensors are abbreviated to their shape, their mean |·| and their first numbers.');
  }
  return notes;
}
