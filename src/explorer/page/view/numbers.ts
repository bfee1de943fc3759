import type { ExplainedGate, ExplainedInput, ExplainedWire, Explanation } from '../../../explain/explanation.ts';
import type { Values } from '../../../explain/expression/values.ts';
import type { Jacobian } from '../../../explain/jacobian.ts';
import { numbersOf } from '../../../explain/json.ts';
import { type Child, h, table } from '../../../report/page/dom.ts';
import { knownAt, stepsOf } from '../../steps.ts';
import type { State, View } from '../state.ts';

/** Every number that is known at the step, in full: for each gate and each input as the program's JSON has them. */
export class NumbersView implements View {
  readonly #body = h('div');
  readonly #details = h('details', { id: 'numbers' }, h('summary', {}, 'Every number in full'), this.#body);
  readonly element: HTMLElement = h('section', { 'aria-label': 'Every number in full' }, this.#details);
  #state!: State;

  constructor() {
    this.#details.addEventListener('toggle', () => this.#render());
    addEventListener('beforeprint', () => {
      this.#details.open = true;
      this.#render();
    });
  }

  update(state: State): void {
    this.#state = state;
    this.#render();
  }

  #render(): void {
    if (!this.#details.open) return;
    const { explanation, step, answer } = this.#state;
    const isComplete = step === stepsOf(explanation).length - 1;
    this.#body.replaceChildren(
      gateTable(explanation, step),
      leafTable(explanation, step),
      ...(answer.jacobian && isComplete ? [jacobianTable(answer.jacobian)] : []),
    );
  }
}

interface Row {
  readonly gate: ExplainedGate;
  readonly input: ExplainedInput;
  readonly isFirst: boolean;
}

function gateTable(explanation: Explanation, step: number): HTMLElement {
  const { values, gradients } = knownAt(explanation, step);
  const backward = new Set(
    stepsOf(explanation)
      .slice(0, step + 1)
      .flatMap((one) => (one.kind === 'backward' ? [one.gate] : [])),
  );
  const rows = explanation.gates.flatMap((gate) =>
    gate.inputs.map((input, i): Row => ({ gate, input, isFirst: i === 0 })),
  );
  const first = (content: (row: Row) => Child) => (row: Row) => (row.isFirst ? content(row) : '');
  return table(
    'Gates',
    [
      { title: 'wire', cell: first(({ gate }) => gate.output.name) },
      { title: 'gate', cell: first(({ gate }) => gate.name) },
      { title: 'value', cell: first(({ gate: { output } }) => number(output.value, values.has(output.id), 'value')) },
      {
        title: 'upstream',
        cell: first(({ gate: { output } }) => number(output.gradient, gradients.has(output.id), 'gradient')),
      },
      { title: 'input', cell: ({ input }) => input.wire.name },
      { title: 'local', cell: ({ gate, input }) => local(input, backward.has(gate)) },
      { title: 'product', cell: ({ gate, input }) => number(input.gradient, backward.has(gate), 'gradient') },
    ],
    rows,
  );
}

function leafTable(explanation: Explanation, step: number): HTMLElement {
  const { gradients } = knownAt(explanation, step);
  return table<ExplainedWire>(
    'Inputs',
    [
      { title: 'input', cell: ({ name }) => name },
      { title: 'value', cell: ({ value }) => number(value, true, 'value') },
      {
        title: `gradient of ${explanation.output.name}`,
        cell: ({ id, gradient }) => number(gradient, gradients.has(id), 'gradient'),
      },
    ],
    explanation.leaves,
  );
}

function jacobianTable({ rows, columns, values }: Jacobian): HTMLElement {
  return table(
    'Jacobian',
    [
      { title: 'Jacobian', cell: (i: number) => rows[i] },
      ...columns.map((title, j) => ({ title, cell: (i: number) => String(values[i][j]) })),
    ],
    [...rows.keys()],
  );
}

function local(input: ExplainedInput, isKnown: boolean): Child {
  return typeof input.local === 'string' ? input.local : number(input.local, isKnown, 'local');
}

function number(values: Values | undefined, isKnown: boolean, kind: 'value' | 'gradient' | 'local'): Child {
  if (!isKnown) return h('span', { class: 'quiet' }, '…');
  return h('span', { class: kind }, JSON.stringify(numbersOf(values)));
}
