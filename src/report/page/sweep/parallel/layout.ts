import type { Axis } from './axes.ts';

/** Where the axes are: side by side on a wide page, one below the other on a narrow one or if there are many. */
export interface Layout {
  readonly isVertical: boolean;
  readonly width: number;
  readonly height: number;
  /** Pixels of a position on an axis. */
  readonly point: (axis: number, position: number) => readonly [x: number, y: number];
  /** The axis before a point, and how far it is on the way to the next one, from 0 to 1. */
  readonly locate: (
    x: number,
    y: number,
  ) => { readonly axis: number; readonly share: number; readonly position: number };
  /** Pixels from 0 to 1. */
  readonly length: number;
  /** The way to the next axis, in pixels. */
  readonly gap: number;
}

const [LEAST_GAP, LENGTH, ROW] = [104, 300, 66];
const SIDE = { top: 52, bottom: 26, left: 58, right: 44 } as const;
const STACK = { top: 34, bottom: 36, left: 16, right: 16 } as const;

export function layoutOf(axes: readonly Axis[], width: number): Layout {
  const steps = Math.max(1, axes.length - 1);
  const gap = (width - SIDE.left - SIDE.right) / steps;
  return gap >= LEAST_GAP ? sideBySide(width, gap, steps) : stacked(width, steps);
}

function sideBySide(width: number, gap: number, steps: number): Layout {
  return {
    isVertical: true,
    width,
    height: SIDE.top + LENGTH + SIDE.bottom,
    point: (axis, position) => [SIDE.left + axis * gap, SIDE.top + LENGTH * (1 - position)],
    locate: (x, y) => locate((x - SIDE.left) / gap, 1 - (y - SIDE.top) / LENGTH, steps),
    length: LENGTH,
    gap,
  };
}

function stacked(width: number, steps: number): Layout {
  const length = width - STACK.left - STACK.right;
  return {
    isVertical: false,
    width,
    height: STACK.top + steps * ROW + STACK.bottom,
    point: (axis, position) => [STACK.left + length * position, STACK.top + axis * ROW],
    locate: (x, y) => locate((y - STACK.top) / ROW, (x - STACK.left) / length, steps),
    length,
    gap: ROW,
  };
}

function locate(across: number, position: number, steps: number): ReturnType<Layout['locate']> {
  const axis = Math.min(steps - 1, Math.max(0, Math.floor(across)));
  return { axis, share: Math.min(1, Math.max(0, across - axis)), position };
}
