import { rangeOf } from '../../chart.ts';
import * as format from '../../format.ts';
import { numeric, type Scale, scaleOf } from '../scale.ts';
import type { Sweep, Trial } from '../trials.ts';

/** Part of an axis kept for trials without a value, below the others. */
const SLOT = 0.12;
/** Stops of a handle on a numeric axis. */
const STOPS = 50;

/** An axis of the parallel coordinates. Positions run from 0 to 1. */
export interface Axis {
  /** Name of the hyperparameter, or METRIC. */
  readonly name: string;
  readonly title: string;
  readonly position: (trial: Trial) => number;
  readonly ticks: Scale['ticks'];
  /** Positions at which a handle stops when it is moved by keyboard, from 0 to 1. */
  readonly stops: readonly number[];
  /** What lies between two positions, in words. */
  readonly describe: (from: number, to: number) => string;
  /** The end of an interval, in words. */
  readonly label: (position: number) => string;
}

/** Not the name of any hyperparameter. */
export const METRIC = 'the metric';

/** An axis for each hyperparameter, and the last one for the metric. Its better end is at 1. */
export function axesOf({ report, trials, metric }: Sweep): Axis[] {
  const parameters = report.parameters.map((parameter) => {
    const values = trials.flatMap(({ values }) => values[parameter.name] ?? []);
    const value = ({ values }: Trial) => values[parameter.name];
    const isMissing = (trial: Trial) => value(trial) === undefined;
    const scale = scaleOf(parameter, values);
    return axis(parameter.name, parameter.name, scale, {
      position: (trial) => (isMissing(trial) ? null : scale.position(value(trial))),
      missing: trials.some(isMissing) ? 'no effect' : null,
    });
  });
  const [low, high] = rangeOf(trials.flatMap(({ result }) => result ?? []));
  const whole = numeric(metric.sign === 1 ? [low, high] : [high, low], 'linear', metric.tick);
  const scale = trials.some(({ result }) => result !== null) ? whole : { ...whole, ticks: [] };
  const last = axis(METRIC, format.sentence(metric.label), scale, {
    position: ({ result }) => (result === null ? null : scale.position(result)),
    missing: trials.some(({ result }) => result === null) ? 'no result' : null,
  });
  return [...parameters, last];
}

interface AxisOptions {
  readonly position: (trial: Trial) => number | null;
  /** Label for trials without a value; null if there are none. */
  readonly missing: string | null;
}

function axis(name: string, title: string, scale: Scale, { position, missing }: AxisOptions): Axis {
  const floor = missing === null ? 0 : SLOT;
  const onAxis = (share: number) => floor + (1 - floor) * share;
  const ticks = [
    ...(missing === null ? [] : [{ at: 0, label: missing }]),
    ...scale.ticks.map(({ at, label }) => ({ at: onAxis(at), label })),
  ];
  const label = (at: number) => (at < floor / 2 ? missing! : scale.label(Math.max(0, (at - floor) / (1 - floor))));
  return {
    name,
    title,
    ticks,
    position: (trial) => {
      const share = position(trial);
      return share === null ? 0 : onAxis(share);
    },
    stops: scale.isChoice ? between(ticks.map(({ at }) => at)) : [0, ...evenly(floor)],
    describe: (from, to) => {
      if (!scale.isChoice) return `${label(from)} to ${label(to)}`;
      return ticks.flatMap((tick) => (tick.at >= from && tick.at <= to ? [tick.label] : [])).join(', ') || 'none';
    },
    label,
  };
}

/** Evenly spaced stops, above the slot for missing values. */
function evenly(floor: number): number[] {
  const first = floor === 0 ? 1 / STOPS : floor / 2;
  return Array.from({ length: STOPS }, (_, i) => first + ((1 - first) * i) / (STOPS - 1));
}

/** The ends and the middles between neighbours. */
function between(places: readonly number[]): number[] {
  const middles = places.slice(1).map((place, i) => (place + places[i]) / 2);
  return [0, ...middles, 1];
}
