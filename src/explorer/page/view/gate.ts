import type { ExplainedGate, ExplainedInput, Explanation } from '../../../explain/explanation.ts';
import { isScalar } from '../../../explain/format.ts';
import { type Child, h } from '../../../report/page/dom.ts';
import { forwardText, localText } from '../../formulas.ts';
import { knownAt, stepsOf, usesOf } from '../../steps.ts';
import type { State, View } from '../state.ts';
import { numbers, shortText } from './numbers-text.ts';

/** The gate at work: its formula, and upstream × local = product, with the numbers of the moment. */
export class GateView implements View {
  readonly #body = h('div', { id: 'gate', 'aria-live': 'polite', 'aria-atomic': 'true' });
  readonly element = h(
    'section',
    { 'aria-labelledby': 'gate-title' },
    h('h2', { id: 'gate-title' }, 'The gate at work'),
    this.#body,
  );

  update({ explanation, step }: State): void {
    const current = stepsOf(explanation)[step];
    const { output } = explanation;
    if (current.kind === 'forward') this.#body.replaceChildren(...forward(current.gate));
    else if (current.kind === 'backward') this.#body.replaceChildren(...backward(current.gate, explanation, step));
    else if (current.kind === 'leaves') {
      this.#body.replaceChildren(h('p', {}, 'The inputs are known. Step on: each gate computes its value from them.'));
    } else if (current.kind === 'upstream') {
      this.#body.replaceChildren(
        h('p', {}, `Now backward. The gradient of ${output.name} with respect to itself is the start:`),
        h(
          'div',
          { class: 'equation' },
          part(`∂${output.name}/∂${output.name}`, numbers(explanation.upstream, 'gradient')),
        ),
      );
    } else {
      this.#body.replaceChildren(
        h(
          'p',
          {},
          'Press Step ▶ or the right arrow key to see each gate compute: forward from the inputs, then backward.',
        ),
      );
    }
  }
}

function forward(gate: ExplainedGate): Child[] & Node[] {
  const { output, inputs } = gate;
  const names = inputs.map(({ wire }) => wire.name);
  const areScalars = [output, ...inputs.map(({ wire }) => wire)].every(({ value }) => isScalar(value));
  const symbols = `${output.name} = ${forwardText(gate, names)}`;
  const shown = areScalars
    ? [
        h(
          'p',
          { class: 'numbers' },
          `${output.name} = ${forwardText(
            gate,
            inputs.map(({ wire }) => inTerm(shortText(wire.value))),
          )} = `,
          h('strong', { class: 'value' }, shortText(output.value)),
        ),
      ]
    : [
        h(
          'div',
          { class: 'equation' },
          inputs.map(({ wire }) => part(wire.name, numbers(wire.value, 'value'))),
          h('span', {}, '→'),
          part(output.name, numbers(output.value, 'value')),
        ),
      ];
  return [h('p', {}, 'Forward: ', h('code', {}, symbols)), ...shown];
}

/** A negative number stands in brackets in a formula. */
function inTerm(text: string): string {
  return text.startsWith('-') ? `(${text})` : text;
}

function backward(gate: ExplainedGate, explanation: Explanation, step: number): Node[] {
  const { output } = gate;
  const rows = gate.inputs.filter(({ gradient }) => gradient).map((input) => inputRow(gate, input, explanation, step));
  return [
    h(
      'p',
      {},
      'Backward: ',
      h(
        'code',
        {},
        `${output.name} = ${forwardText(
          gate,
          gate.inputs.map(({ wire }) => wire.name),
        )}`,
      ),
      '. Upstream × local = the gradient passed on.',
    ),
    ...rows,
  ];
}

function inputRow(gate: ExplainedGate, input: ExplainedInput, explanation: Explanation, step: number): HTMLElement {
  const { wire, local, gradient } = input;
  const [L, y] = [explanation.output.name, gate.output.name];
  const formula = localText(gate, input.name);
  const upstream = part(['upstream ', h('i', {}, `∂${L}/∂${y}`)], numbers(gate.output.gradient!, 'gradient'));
  const product = part(['product, to ', h('i', {}, wire.name)], numbers(gradient!, 'gradient'));
  const isFormula = typeof local === 'string';
  const factors = isFormula
    ? [upstream, h('span', {}, `→ ${formula} =`), product]
    : [
        upstream,
        h('span', {}, '×'),
        part(['local ', h('i', {}, `∂${y}/∂${wire.name}${formula ? ` = ${formula}` : ''}`)], numbers(local!, 'local')),
        h('span', {}, '='),
        product,
      ];
  return h(
    'div',
    { class: 'input', 'data-input': input.name },
    h('h3', {}, wire.name),
    h('div', { class: 'equation' }, factors),
    sumLine(input, explanation, step),
  );
}

/** The sum over the branches of a wire, of which those that are not known yet are left out. */
function sumLine({ wire }: ExplainedInput, explanation: Explanation, step: number): Child {
  const uses = usesOf(wire, explanation).filter(({ input }) => input.gradient);
  if (uses.length < 2) return null;
  const known = knownAt(explanation, step).gradients;
  const backwards = stepsOf(explanation).slice(0, step + 1);
  const done = uses.filter(({ gate }) => backwards.some((one) => one.kind === 'backward' && one.gate === gate));
  const total = known.has(wire.id);
  if (!isScalar(wire.value)) {
    return h(
      'p',
      { class: 'sum' },
      `${wire.name} branches: ${done.length} of its ${uses.length} gradients are known; they are added up.`,
    );
  }
  const terms = done.map(({ gate, input }) => `${inTerm(shortText(input.gradient!))} through ${gate.output.name}`);
  return h(
    'p',
    { class: 'sum' },
    `${wire.name} branches, so its gradients are added up: ${terms.join(' + ')}`,
    total
      ? [' = ', h('strong', { class: 'gradient' }, shortText(wire.gradient!))]
      : ' + … (another gate is still to come)',
  );
}

function part(caption: Child, content: Child): HTMLElement {
  return h('span', { class: 'part' }, content, h('small', {}, caption));
}
