import { s } from '../../dom.ts';
import type { Axis } from './axes.ts';
import type { Layout } from './layout.ts';

/** A selected part of an axis, by positions. */
export type Interval = readonly [from: number, to: number];

const ALL: Interval = [0, 1];
/** Half the width of the area of an axis that takes a pointer, in pixels. */
const REACH = 18;
/** Half the width of the selection, and the size of a handle, in pixels. */
const [BAND, HANDLE] = [7, 14];
/** Pointers that move less, in positions, have only clicked. */
const CLICK = 0.01;
/** Stops that PageUp and PageDown pass. */
const PAGE = 5;

export interface BrushOptions {
  readonly axis: Axis;
  readonly index: number;
  readonly layout: Layout;
  readonly interval: Interval | undefined;
  /** Called with each new interval, and with undefined once all of the axis is selected. */
  readonly onChange: (interval: Interval | undefined) => void;
}

/** Selects a part of an axis: drag along the axis, drag the selection or one of its two handles, or move the handles by keyboard.
 *  A click selects all. d3-brush has no handles for the keyboard. */
export class Brush {
  readonly element: SVGElement;
  readonly #options: BrushOptions;
  readonly #area: SVGElement;
  readonly #band = s('rect', { class: 'band' });
  readonly #handles: readonly SVGElement[];
  #selected: Interval;

  constructor(options: BrushOptions) {
    const { index, layout, interval = ALL } = options;
    this.#options = options;
    this.#selected = interval;
    this.#area = s('rect', { class: 'area', ...box(layout, index, ALL, REACH) });
    this.#handles = [0, 1].map((end) => handle(options, end));
    const direction = layout.isVertical ? 'vertical' : 'horizontal';
    this.element = s('g', { class: `brush ${direction}` }, this.#area, this.#band, this.#handles);
    this.#listen();
    // Otherwise the page scrolls along an upright axis instead.
    if (layout.isVertical) this.element.addEventListener('touchstart', (event) => event.preventDefault());
    this.#draw();
  }

  #listen(): void {
    const positionOf = (event: PointerEvent) => this.#positionOf(event);
    drag(this.#area, (start) => (at, isOver) => this.#selectFrom(start, at, isOver), positionOf);
    drag(this.#band, (start) => this.#mover(start), positionOf);
    this.#handles.forEach((one, end) => {
      drag(one, () => (at) => this.#moveEnd(end, at), positionOf);
      one.addEventListener('keydown', (event) => {
        const at = keyed(event.key, this.#selected[end], this.#options.axis.stops);
        if (at === null) return;
        event.preventDefault();
        this.#moveEnd(end, at);
      });
    });
  }

  #selectFrom(start: number, at: number, isOver: boolean): void {
    if (Math.abs(at - start) >= CLICK) this.#select(start, at);
    else if (isOver) this.#select(...ALL);
  }

  /** Moves the whole selection. */
  #mover(start: number): (at: number, isOver: boolean) => void {
    const [from, to] = this.#selected;
    let hasMoved = false;
    return (at, isOver) => {
      hasMoved ||= Math.abs(at - start) >= CLICK;
      if (isOver && !hasMoved) return this.#select(...ALL);
      const by = Math.min(1 - to, Math.max(-from, at - start));
      return this.#select(from + by, to + by);
    };
  }

  #moveEnd(end: number, at: number): void {
    const [from, to] = this.#selected;
    if (end === 0) this.#select(Math.min(at, to), to);
    else this.#select(from, Math.max(at, from));
  }

  #select(one: number, other: number): void {
    this.#selected = [Math.max(0, Math.min(one, other)), Math.min(1, Math.max(one, other))];
    this.#draw();
    this.#options.onChange(this.#isWhole ? undefined : this.#selected);
  }

  get #isWhole(): boolean {
    return this.#selected[0] <= 0 && this.#selected[1] >= 1;
  }

  #draw(): void {
    const { axis, index, layout } = this.#options;
    this.element.classList.toggle('active', !this.#isWhole);
    for (const [name, value] of Object.entries(box(layout, index, this.#selected, BAND))) {
      this.#band.setAttribute(name, String(value));
    }
    this.#handles.forEach((one, end) => {
      const at = this.#selected[end];
      const [x, y] = layout.point(index, at);
      const turn = (layout.isVertical ? 0 : 90) + (end === 0 ? 180 : 0);
      one.setAttribute('transform', `translate(${x} ${y}) rotate(${turn})`);
      one.setAttribute('aria-valuenow', String(Math.round(100 * at)));
      one.setAttribute('aria-valuetext', `${axis.label(at)}; selected: ${axis.describe(...this.#selected)}`);
    });
  }

  #positionOf({ clientX, clientY }: PointerEvent): number {
    const { layout } = this.#options;
    const { left, bottom, width, height } = this.#area.getBoundingClientRect();
    const inside = layout.isVertical ? (bottom - clientY) / height : (clientX - left) / width;
    // The area reaches beyond both ends of the axis by the size of a handle.
    const beyond = HANDLE / layout.length;
    return Math.min(1, Math.max(0, inside * (1 + 2 * beyond) - beyond));
  }
}

/** One end of the selection, as a slider. It points away from the selection. */
function handle({ axis, layout: { isVertical } }: BrushOptions, end: number): SVGElement {
  return s(
    'g',
    {
      class: 'handle',
      role: 'slider',
      tabindex: 0,
      'aria-label': `${axis.title}, ${end === 0 ? 'lower' : 'upper'} end of the selection`,
      'aria-orientation': isVertical ? 'vertical' : 'horizontal',
      'aria-valuemin': 0,
      'aria-valuemax': 100,
    },
    // Larger than what is drawn, for fingers.
    s('rect', { class: 'grip', x: -REACH, y: -HANDLE - 6, width: 2 * REACH, height: HANDLE + 8 }),
    s('path', { d: 'M-8 -2H8L0 -12Z' }),
  );
}

/** Follows a pointer that is pressed on an element.
 *  @param begin called with the position of the press; what it returns is called with each further position. */
function drag(
  element: SVGElement,
  begin: (start: number) => (at: number, isOver: boolean) => void,
  positionOf: (event: PointerEvent) => number,
): void {
  let move: ((at: number, isOver: boolean) => void) | null = null;
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    move = begin(positionOf(event));
  });
  element.addEventListener('pointermove', (event) => move?.(positionOf(event), false));
  element.addEventListener('pointerup', (event) => {
    move?.(positionOf(event), true);
    move = null;
  });
  element.addEventListener('pointercancel', () => {
    move = null;
  });
}

/** The position that a key leads to; null if it leads nowhere. */
function keyed(key: string, from: number, stops: readonly number[]): number | null {
  const above = stops.filter((stop) => stop > from + 1e-9);
  const below = stops.filter((stop) => stop < from - 1e-9).reverse();
  const step = (list: readonly number[], count: number) => list[Math.min(count, list.length) - 1] ?? from;
  switch (key) {
    case 'ArrowUp':
    case 'ArrowRight':
      return step(above, 1);
    case 'ArrowDown':
    case 'ArrowLeft':
      return step(below, 1);
    case 'PageUp':
      return step(above, PAGE);
    case 'PageDown':
      return step(below, PAGE);
    case 'Home':
      return 0;
    case 'End':
      return 1;
    default:
      return null;
  }
}

/** A rectangle along an axis. */
function box({ isVertical, point, length }: Layout, axis: number, [from, to]: Interval, half: number) {
  const beyond = half === REACH ? HANDLE : 0;
  const [x, y] = point(axis, isVertical ? to : from);
  const size = (to - from) * length + 2 * beyond;
  return isVertical
    ? { x: x - half, y: y - beyond, width: 2 * half, height: size }
    : { x: x - beyond, y: y - half, width: size, height: 2 * half };
}
