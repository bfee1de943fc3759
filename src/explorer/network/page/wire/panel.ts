import { integer, memory, operations, percent, plural } from '../../../../format.ts';
import { type Child, definitions, h } from '../../../../report/page/dom.ts';
import type { Distribution, NetworkData, NetworkWire, UnitActivity } from '../../network-data.ts';
import { share, short } from '../../number.ts';
import { filtersPart } from './filters.ts';
import { histogram } from './histogram.ts';
import { filterName } from './names.ts';

/** The numbers of a wire. */
export class WirePanel {
  readonly element = h('section', { id: 'wire', tabindex: 0, role: 'region', 'aria-labelledby': 'wire-title' });
  readonly #data: NetworkData;
  #shown: string | undefined;

  constructor(data: NetworkData) {
    this.#data = data;
  }

  show(name: string): void {
    if (name === this.#shown) return;
    this.#shown = name;
    const wire = this.#data.wires.find((one) => one.name === name)!;
    this.element.replaceChildren(
      h('h2', { id: 'wire-title' }, name),
      h('p', { class: 'quiet' }, roleOf(wire, this.#data)),
      ...numbersOf(wire),
      ...(wire.units ? [unitsPart(wire.units, this.#data)] : []),
      ...(wire.filters ? [filtersPart(wire.filters, this.#data.classes)] : []),
    );
    this.element.scrollTop = 0;
  }
}

/** Where a wire comes from, and its size. */
function roleOf({ name, kind, shape, bytes }: NetworkWire, { gates }: NetworkData): string {
  const gate = gates.find(({ output }) => output === name);
  const flops = (count: number) => (count === 0 ? 'no arithmetic' : operations(count));
  const origin = gate
    ? `${gate.gate} (${gate.inputs.join(', ')}): ${flops(gate.forward)} forward, ${flops(gate.backward)} backward`
    : kind === 'parameter'
      ? `${plural(numberCount(shape), 'parameter')}, which training changes`
      : 'an input';
  const size = shape.length === 0 ? 'a scalar' : `[${shape.map(String).join(', ')}]`;
  return `${origin} · ${size} · ${memory(bytes)}`;
}

function numberCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function numbersOf({ kind, shape, value, gradient, meanValue, meanGradient }: NetworkWire): Node[] {
  if (!value) return [h('p', {}, 'The numbers of the classes: no quantities, so they have no mean and no gradient.')];
  if (shape.length === 0) return [scalar(value.min, gradient?.min)];
  const none =
    kind === 'parameter'
      ? 'No gradient flows here.'
      : 'No gradient: nothing that training changes lies before this wire.';
  return [
    h(
      'div',
      { class: 'pair' },
      numbersPart('Values', 'value', value, meanValue!),
      gradient
        ? numbersPart('Gradients', 'gradient', gradient, meanGradient!)
        : h('div', {}, h('h3', { class: 'gradient' }, 'Gradients'), h('p', { class: 'quiet' }, none)),
    ),
  ];
}

function scalar(value: number, gradient: number | undefined): HTMLElement {
  return definitions([
    ['value', h('strong', { class: 'value' }, short(value))],
    ...(gradient === undefined ? [] : [['gradient', h('strong', { class: 'gradient' }, short(gradient))] as const]),
  ]);
}

function numbersPart(title: string, kind: 'value' | 'gradient', numbers: Distribution, mean: number): HTMLElement {
  const { min, max, zeroShare, outsideShare, counts } = numbers;
  const notes = [
    ...(zeroShare > 0 ? [`${share(zeroShare)} are exactly 0`] : []),
    ...(outsideShare > 0 ? [`${share(outsideShare)} lie beyond the axis`] : []),
  ];
  const isEmpty = counts.length === 0;
  return h(
    'div',
    {},
    h('h3', { class: kind }, title),
    isEmpty ? null : histogram(numbers, kind, { label: `Histogram of the ${title.toLowerCase()}`, what: 'numbers' }),
    h('p', { class: 'notes' }, isEmpty ? 'All of them are exactly 0.' : notes.length > 0 ? `${notes.join('; ')}.` : ''),
    definitions([
      [`mean |${kind}|`, h('strong', { class: kind }, short(mean))],
      ['mean', short(numbers.mean)],
      ['smallest', short(min)],
      ['largest', short(max)],
    ]),
  );
}

function unitsPart(units: UnitActivity, data: NetworkData): HTMLElement {
  const { count, dead, deadCount, counts } = units;
  const filters = data.wires.find(({ name }) => name === 'fc1.weight')!.filters!;
  const names = dead.map(({ unit, filter }) =>
    unitName(unit, filterName(filter, filters, data), count > filters.total),
  );
  const rest = deadCount - dead.length;
  return h(
    'div',
    { class: 'more' },
    h('h3', {}, 'Hidden units'),
    h(
      'p',
      { id: 'dead' },
      deadCount === 0
        ? `All ${integer(count)} units are alive: none of them is 0 for every image of the batch.`
        : `${integer(deadCount)} of ${integer(count)} units are dead: 0 for all ${integer(data.batchSize)} images of the batch, so no gradient passes through them.`,
    ),
    deadCount === 0
      ? null
      : h(
          'details',
          {},
          h('summary', {}, 'Which ones'),
          h('p', {}, names.join('; '), rest > 0 ? `; and ${integer(rest)} more` : ''),
        ),
    histogram({ from: 0, to: 1, counts }, 'value', {
      label: 'Units by the share of images for which they are not 0',
      what: 'units',
      text: (value) => percent(value, 0),
    }),
    h('p', { class: 'notes' }, 'Units by the share of the images for which they are not 0.'),
  );
}

function unitName(unit: number, filter: string, hasSeveral: boolean): Child & string {
  return hasSeveral ? `unit ${unit} of ${filter}` : `unit ${unit}`;
}
