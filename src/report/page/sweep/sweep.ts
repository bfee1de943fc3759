import type { SweepReport } from '../../sweep/sweep-data.ts';
import type { ChartSize } from '../chart.ts';
import { h, section } from '../dom.ts';
import * as format from '../format.ts';
import type { Page } from '../header.ts';
import { morph } from '../morph.ts';
import { bestSoFar } from './charts/best-so-far.ts';
import { learningCurves } from './charts/curves.ts';
import { parameterSection } from './charts/parameters.ts';
import { rungChart } from './charts/rungs.ts';
import { headline, titleOf } from './headline.ts';
import { followTrials } from './highlight.ts';
import { type Axis, axesOf } from './parallel/axes.ts';
import { drawOnTop, parallelCoordinates, type Selection, selectedTrials } from './parallel/parallel.ts';
import { sweepSetup } from './setup.ts';
import { firstView, type TableView, trialTable } from './table.ts';
import { describe, type Sweep, sweepOf, valuesText } from './trials.ts';

/** The page of a sweep, with what its reader has selected. */
export class SweepPage {
  readonly #sweep: Sweep;
  readonly #axes: readonly Axis[];
  readonly #selection: Selection = new Map();
  #table: TableView;
  #isRefreshing = false;

  constructor(report: SweepReport) {
    this.#sweep = sweepOf(report);
    this.#axes = axesOf(this.#sweep);
    this.#table = firstView(this.#sweep);
    followTrials();
    document.addEventListener('click', ({ target }) => this.#clicked(target));
    document.addEventListener('trial-lit', (event) =>
      this.#describe((event as CustomEvent<number | undefined>).detail),
    );
  }

  /** @param size of a chart in one of two columns. @param width of the content, in pixels. */
  page(size: ChartSize, width: number): Page {
    const sweep = this.#sweep;
    const { report, metric, ranked, trials } = sweep;
    const best = ranked[0] ? `${metric.show(ranked[0].result)} · ` : '';
    const curves = learningCurves(sweep, size);
    const rungs = report.rungs.length > 1 && trials.length > 0 ? rungChart(sweep, size) : null;
    return {
      title: `${best}${format.baseName(report.name)} · ${titleOf(report)}`,
      header: headline(sweep),
      sections:
        trials.length === 0
          ? [section('progress', 'Trials', h('p', {}, 'No trial has begun.')), sweepSetup(report)]
          : [
              section('progress', 'Best so far', bestSoFar(sweep, { ...size, width })),
              this.#space(width),
              parameterSection(sweep, width),
              ...(curves || rungs
                ? [
                    section(
                      'training',
                      rungs ? 'Rungs and curves' : 'Learning curves',
                      h('div', { class: 'charts' }, curves, rungs),
                    ),
                  ]
                : []),
              this.#trials(),
              sweepSetup(report),
            ],
    };
  }

  /** Marks what is selected in the charts. To be called whenever the page has been rendered. */
  showSelection(): void {
    const selected = this.#selected();
    for (const part of document.querySelectorAll<SVGElement>('svg [data-trial]')) {
      part.classList.toggle('out', !selected.has(Number(part.dataset.trial)));
    }
    const lines = document.querySelector<SVGElement>('.lines');
    if (!lines) return;
    // Few lines are easier to see in full, many if they shine through.
    lines.style.setProperty('--strength', Math.min(1, Math.max(0.35, 30 / Math.max(1, selected.size))).toFixed(2));
    const reachable = [...lines.querySelectorAll<SVGElement>('[data-trial]:not(.out)')];
    const current = reachable.find(({ tabIndex }) => tabIndex === 0) ?? reachable.at(-1);
    for (const line of lines.querySelectorAll('[tabindex="0"]')) line.setAttribute('tabindex', '-1');
    current?.setAttribute('tabindex', '0');
  }

  #space(width: number): HTMLElement {
    return section(
      'space',
      'All hyperparameters',
      this.#status(),
      this.#parallel(width),
      h('p', { id: 'trial-detail', class: 'caption' }, 'Point at a line to see its trial.'),
      h(
        'p',
        { class: 'caption' },
        'A line is a trial; its colour shows the metric, as on the last axis. Drag along an axis, or move its two handles by mouse, ' +
          'touch or arrow keys, to select trials here, in the charts and in the table. A click on an axis selects all of it.',
      ),
    );
  }

  #parallel(width: number): HTMLElement {
    const onSelect = () => this.#refreshSoon();
    return parallelCoordinates(this.#sweep, this.#axes, this.#selection, { width, onSelect });
  }

  #status(): HTMLElement {
    const [selected, all] = [this.#selected().size, this.#sweep.trials.length];
    const text =
      this.#selection.size > 0
        ? `${format.count(selected)} of ${format.plural(all, 'trial')} selected`
        : `${all > 1 ? 'All ' : ''}${format.plural(all, 'trial')} selected`;
    return h(
      'div',
      { id: 'selection' },
      h('p', { role: 'status' }, text),
      h(
        'button',
        { type: 'button', class: 'plain', id: 'select-all', 'aria-disabled': String(this.#selection.size === 0) },
        'Select all',
      ),
    );
  }

  #trials(): HTMLElement {
    return trialTable(this.#sweep, this.#selected(), this.#table);
  }

  #selected(): ReadonlySet<number> {
    return selectedTrials(this.#sweep, this.#axes, this.#selection);
  }

  #clicked(target: EventTarget | null): void {
    if (!(target instanceof Element)) return;
    const key = target.closest<HTMLElement>('[data-sort]')?.dataset.sort;
    if (key !== undefined) {
      const isDescending = this.#table.key === key && !this.#table.isDescending;
      this.#table = { ...this.#table, key, isDescending };
    } else if (target.id === 'show-all') this.#table = { ...this.#table, showsAll: true };
    else if (target.id === 'select-all') {
      this.#selection.clear();
      const old = document.querySelector('.parallel')!;
      old.replaceWith(this.#parallel(old.clientWidth));
    } else return;
    this.#refresh();
  }

  /** At most once per frame, as pointers may move more often. */
  #refreshSoon(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    requestAnimationFrame(() => {
      this.#isRefreshing = false;
      this.#refresh();
    });
  }

  #refresh(): void {
    this.showSelection();
    morph(document.getElementById('selection')!, this.#status());
    morph(document.getElementById('trials')!, this.#trials());
  }

  /** Shows which trial is lit up. */
  #describe(number: number | undefined): void {
    const trial = this.#sweep.trials.find(({ trial }) => trial === number);
    const { metric, report } = this.#sweep;
    drawOnTop(number);
    const detail = document.getElementById('trial-detail');
    if (detail && trial)
      detail.textContent = `${format.sentence(describe(trial, metric))}: ${valuesText(trial, report.parameters)}`;
  }
}
