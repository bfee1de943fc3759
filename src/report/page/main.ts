import type { ReportData, RunReport } from '../report-data.ts';
import type { SweepReport } from '../sweep/sweep-data.ts';
import type { ChartSize } from './chart.ts';
import { comparisonPage } from './compare/compare.ts';
import { h } from './dom.ts';
import type { Page } from './header.ts';
import { morph } from './morph.ts';
import { runPage } from './run/run.ts';
import { SweepPage } from './sweep/sweep.ts';

/** Maximum width of the content, gap between two columns, and minimum width for two columns, as in the style sheets. */
const [MAX_WIDTH, COLUMN_GAP, TWO_COLUMNS_WIDTH] = [1120, 56, 860];
const MIN_WIDTH = 280;

let data: ReportData | SweepReport = JSON.parse(document.getElementById('data')!.textContent);
const isLive = document.documentElement.dataset.live !== undefined;
/** Indices of the runs hidden from the charts. */
const hidden = new Set<number>();
const root = document.body.appendChild(h('div', { id: 'page' }));
const sweepPage = 'trials' in data ? new SweepPage(data) : null;
/** Problem with the connection to a live run, or an empty string. */
let connectionProblem = '';

function render(): void {
  const page = currentPage(contentWidth(root));
  document.title = page.title;
  morph(root, h('div', { id: 'page' }, layout(page)));
  sweepPage?.showSelection();
}

function currentPage(width: number): Page {
  const size = chartSize(width);
  if (sweepPage) return sweepPage.page(size, width);
  const { runs } = data as ReportData;
  return runs.length === 1 ? runPage(runs[0], size) : comparisonPage(runs, hidden, size);
}

function layout({ header, sections }: Page) {
  return [
    h('a', { class: 'skip', href: '#content' }, 'Skip to content'),
    h(
      'header',
      {},
      h('button', { type: 'button', id: 'theme' }, isDark() ? 'Light theme' : 'Dark theme'),
      header,
      h('p', { id: 'connection', role: 'status' }, connectionProblem),
      h(
        'nav',
        { 'aria-label': 'Sections' },
        sections.map((part) => h('a', { href: `#${part.id}` }, part.querySelector('h2')!.textContent)),
      ),
    ),
    h('main', { id: 'content', tabindex: -1 }, sections),
    h(
      'footer',
      {},
      isLive ? data.generator : `${data.generator} · This file is self-contained: it works offline and can be shared.`,
    ),
  ];
}

/** Returns the width of the content, in pixels. */
function contentWidth(element: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  const inner = element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
  // A page that is not displayed yet has no width.
  return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, inner));
}

/** Returns the size of a chart: half the width of the content, or all of it on a narrow screen. */
function chartSize(content: number): ChartSize {
  return content >= TWO_COLUMNS_WIDTH
    ? { width: Math.floor((content - COLUMN_GAP) / 2), height: 320 }
    : { width: content, height: 260 };
}

const darkScheme = matchMedia('(prefers-color-scheme: dark)');

function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === 'dark' : darkScheme.matches;
}

document.addEventListener('click', ({ target }) => {
  if (!(target instanceof HTMLButtonElement) || target.id !== 'theme') return;
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  render();
});

document.addEventListener('click', async ({ target }) => {
  if (!(target instanceof HTMLButtonElement) || target.dataset.copy === undefined) return;
  await navigator.clipboard.writeText(target.dataset.copy);
  target.textContent = 'Copied';
});

document.addEventListener('change', ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.name !== 'run') return;
  if (target.checked) hidden.delete(Number(target.value));
  else hidden.add(Number(target.value));
  render();
});

darkScheme.addEventListener('change', render);

let width = root.clientWidth;
new ResizeObserver(() => {
  if (root.clientWidth === width) return;
  width = root.clientWidth;
  render();
}).observe(root);

/** Follows a live run: every event contains a complete report. */
function follow(): void {
  const events = new EventSource('/events');
  events.addEventListener('message', (event) => {
    const run: RunReport = JSON.parse(event.data);
    data = { generator: data.generator, runs: [run] };
    connectionProblem = '';
    render();
  });
  events.addEventListener('error', () => {
    const isOver = (data as ReportData).runs[0]?.state !== 'training';
    if (isOver) events.close();
    connectionProblem = isOver
      ? ''
      : 'The connection to nn-train is lost; this page shows the last update received. Reconnecting …';
    render();
  });
}

render();
if (isLive) follow();
