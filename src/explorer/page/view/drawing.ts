import type { Diagram, DiagramWire } from '../../../drawing/diagram.ts';
import { type Layout, layOut } from '../../../drawing/layout.ts';
import { type Direction, type Size, textSize } from '../../../drawing/outline.ts';
import { diagramOf } from '../../../explain/explanation-diagram.ts';
import { askedIn } from '../../exercise.ts';
import { activeAt, knownAt, stepsOf } from '../../steps.ts';
import { wiresOf } from '../../wires.ts';
import type { Actions, State, View } from '../state.ts';
import { Picture } from './picture.ts';
import { drawingRegion } from './region.ts';

/** Least width of the text of a wire, in pixels, so that most numbers fit without a new layout. */
const ROOM = 56;

/** The graph: values and gradients on its wires, as far as they are known, and the gate at work lit. */
export class DrawingView implements View {
  readonly element = drawingRegion();
  readonly #narrow = matchMedia('(max-width: 640px)');
  readonly #actions: Actions;
  #picture: Picture | undefined;
  #layout: Layout | undefined;
  #direction: Direction = 'right';
  #shown: State | undefined;
  /** Space for the text of each wire, by key. It only grows, so that the graph stands still while its numbers change. */
  #room = new Map<string, Size>();

  constructor(actions: Actions) {
    this.#actions = actions;
    const redraw = () => {
      this.#layout = undefined;
      this.#room = new Map();
      if (this.#shown) this.update(this.#shown);
    };
    this.#narrow.addEventListener('change', redraw);
    new ResizeObserver(() => this.#fit()).observe(this.element);
  }

  update(state: State): void {
    const before = this.#shown;
    this.#shown = state;
    this.#direction = this.#narrow.matches ? 'down' : 'right';
    if (before?.question !== state.question || before.explanation.output.id !== state.explanation.output.id) {
      this.#room = new Map();
      this.#layout = undefined;
      this.element.replaceChildren();
    }
    const diagram = diagramOf(state.question.title, [state.explanation]);
    if (this.#layout && diagram.wires.every((wire) => this.#fits(wire))) this.#paint(diagram, state);
    else void this.#layOut(diagram, state);
  }

  #fits(wire: DiagramWire): boolean {
    if (wire.value.length + wire.gradient.length === 0) return true;
    const room = this.#room.get(wire.key!);
    const { width, height } = textSize(wire, this.#direction);
    // Graphviz rounds its lengths.
    return room !== undefined && width <= room.width + 0.5 && height <= room.height + 0.5;
  }

  /** Lays the graph out, and shows it as it is by then. */
  async #layOut(diagram: Diagram, { question, explanation }: State): Promise<void> {
    const direction = this.#direction;
    const room = ({ key }: DiagramWire) => this.#room.get(key!) ?? { width: ROOM, height: 0 };
    const layout = await layOut(diagram, { direction, room });
    const now = this.#shown!;
    const isSame = now.question === question && now.explanation.output.id === explanation.output.id;
    if (!isSame || direction !== this.#direction) return;
    for (const { wire, label } of layout.wires) if (label) this.#room.set(wire.key!, label);
    this.#layout = layout;
    this.#picture = new Picture(layout, direction, (key) => this.#actions.inspect(key));
    this.element.replaceChildren(this.#picture.element);
    this.#fit();
    this.update(now);
  }

  #paint(diagram: Diagram, { question, isAsked, explanation, step, inspected }: State): void {
    const { values, gradients } = knownAt(explanation, step);
    const wires = wiresOf(explanation);
    const active = activeAt(explanation, step);
    const current = stepsOf(explanation)[step];
    this.#picture!.show({
      diagram,
      isValueKnown: (key) => values.has(wires.get(key)!.wire.id),
      isGradientKnown: (key) => gradients.has(key),
      isActive: (key) => active.has(key),
      nameOf: (key) => wires.get(key)!.wire.name,
      gate: 'gate' in current ? current.gate.output.id : undefined,
      inspected,
      asked: isAsked ? askedIn(question.example!.exercise, explanation)?.key : undefined,
    });
  }

  /** Enlarges a small graph to the width of the page. */
  #fit(): void {
    this.#picture?.fit(this.element.clientWidth);
  }
}
