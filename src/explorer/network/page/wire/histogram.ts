import { integer } from '../../../../format.ts';
import { h, s } from '../../../../report/page/dom.ts';
import { short } from '../../number.ts';

const [WIDTH, HEIGHT] = [320, 110];

/** Bins of equal width. */
export interface Bins {
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

/** Draws a histogram with its axis.
 *  @param kind class of its colour. @param what the things that are counted, such as 'numbers'. @param text formats the axis. */
export function histogram(
  { from, to, counts }: Bins,
  kind: 'value' | 'gradient',
  { label, what, text = short }: { label: string; what: string; text?: (value: number) => string },
): HTMLElement {
  const width = WIDTH / counts.length;
  const [step, tallest] = [(to - from) / counts.length, Math.max(...counts)];
  const bars = counts.map((count, i) => {
    // A bin with a single number still shows.
    const height = count === 0 ? 0 : Math.max(1.5, ((HEIGHT - 4) * count) / tallest);
    const range = `${text(from + i * step)} to ${text(from + (i + 1) * step)}`;
    const box = { x: i * width + 0.5, y: HEIGHT - height, width: width - 1, height };
    return s('rect', { class: `bar ${kind}`, ...box }, s('title', {}, `${range}: ${integer(count)} ${what}`));
  });
  const peak = counts.indexOf(tallest);
  const spoken = `${label}: from ${text(from)} to ${text(to)}, most ${what} between ${text(from + peak * step)} and ${text(from + (peak + 1) * step)}`;
  return h(
    'div',
    { class: 'histogram' },
    s(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT + 1}`, role: 'img', 'aria-label': spoken },
      bars,
      s('path', { class: 'axis', d: `M0 ${HEIGHT + 0.5}H${WIDTH}` }),
    ),
    axisOf(from, to, text),
  );
}

/** The ends of the axis, and 0 if it is not near an end. */
function axisOf(from: number, to: number, text: (value: number) => string): HTMLElement {
  const zero = (0 - from) / (to - from);
  const middle = h('span', { class: 'zero' }, '0');
  middle.style.left = `${100 * zero}%`;
  return h(
    'div',
    { class: 'ticks', 'aria-hidden': 'true' },
    h('span', {}, text(from)),
    zero > 0.25 && zero < 0.75 ? middle : null,
    h('span', {}, text(to)),
  );
}
