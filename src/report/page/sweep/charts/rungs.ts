import * as Plot from '@observablehq/plot';
import type { SweepReport, TrialReport } from '../../../sweep/sweep-data.ts';
import { type ChartSize, figure } from '../../chart.ts';
import { table } from '../../dom.ts';
import * as format from '../../format.ts';
import { isBroken, type Sweep } from '../trials.ts';

/** Trials at one rung of halving. */
interface Rung {
  readonly epochs: number;
  readonly entered: number;
  readonly wentOn: number;
  /** Diverged or failed on the way to it. */
  readonly broken: number;
}

/** Chart of how many trials entered each rung and went on from it. */
export function rungChart({ report }: Sweep, { width }: ChartSize): HTMLElement {
  const rungs = rungsOf(report);
  const rows = rungs.map((rung, i) => ({
    ...rung,
    label: format.plural(rung.epochs, 'epoch'),
    text: outcome(rung, i === rungs.length - 1),
  }));
  return figure(
    'rungs',
    'Trials by rung',
    'After each rung, only the best trials go on. Light: entered; dark: went on, or finished at the last rung.',
    rows.map(({ label, text }) => `${label}: ${text}.`).join(' '),
    bars(rows, width),
    table(
      'Trials by rung',
      [
        { title: 'Rung', cell: ({ label }) => label },
        { title: 'Entered', cell: ({ entered }) => format.count(entered), numeric: true },
        { title: 'Went on or finished', cell: ({ wentOn }) => format.count(wentOn), numeric: true },
        { title: 'Diverged or failed', cell: ({ broken }) => format.count(broken), numeric: true },
      ],
      rows,
    ),
  );
}

interface RungRow extends Rung {
  readonly label: string;
  readonly text: string;
}

/** A light bar for the trials that entered a rung, and a dark one for those that went on, below their numbers. */
function bars(rows: readonly RungRow[], width: number): Element {
  const bar = { y: 'label', fill: 'var(--bar)', insetTop: 18 };
  return Plot.plot({
    width,
    height: 16 + 46 * rows.length,
    marginTop: 4,
    marginBottom: 4,
    marginLeft: 84,
    marginRight: 12,
    style: { fontSize: '12px' },
    x: { domain: [0, Math.max(1, rows[0].entered)], axis: null },
    y: { domain: rows.map(({ label }) => label), padding: 0.12 },
    marks: [
      Plot.axisY({ tickSize: 0, label: null }),
      Plot.barX(rows, { ...bar, x: 'entered', fillOpacity: 0.4 }),
      Plot.barX(rows, { ...bar, x: 'wentOn' }),
      Plot.text(rows, {
        y: 'label',
        text: 'text',
        frameAnchor: 'left',
        textAnchor: 'start',
        dy: -11,
        fill: 'currentColor',
      }),
    ],
  });
}

function outcome({ entered, wentOn, broken }: Rung, isLast: boolean): string {
  return [
    `${format.count(entered)} entered`,
    `${format.count(wentOn)} ${isLast ? 'finished' : 'went on'}`,
    ...(broken > 0 ? [`${format.count(broken)} diverged or failed`] : []),
  ].join(', ');
}

function rungsOf({ rungs, trials }: SweepReport): Rung[] {
  const own = trials.filter(({ sameAs }) => sameAs === undefined);
  return rungs.map((epochs, rung) => {
    const entered = own.filter((trial) => hasEntered(trial, rung, rungs));
    const isOver = rung === rungs.length - 1;
    return {
      epochs,
      entered: entered.length,
      wentOn: own.filter((trial) => (isOver ? trial.state === 'finished' : hasEntered(trial, rung + 1, rungs))).length,
      broken: entered.filter((trial) => isBroken(trial) && rungsDone(trial, rungs) === rung).length,
    };
  });
}

const rungsDone = ({ epochs }: TrialReport, rungs: readonly number[]): number =>
  rungs.filter((rung) => epochs >= rung).length;

/** Whether a trial was trained for a rung, or would have been if it had not failed at once. */
function hasEntered(trial: TrialReport, rung: number, rungs: readonly number[]): boolean {
  const done = rungsDone(trial, rungs);
  if (done > rung || trial.state === 'finished') return true;
  const isBetween = trial.epochs > (rungs[done - 1] ?? 0);
  return done === rung && (isBroken(trial) || trial.state === 'running' || isBetween);
}
