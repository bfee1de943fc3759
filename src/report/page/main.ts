import type { ReportData, RunReport } from '../report-data.ts';
import type { Space } from './chart.ts';
import { comparisonPage } from './compare/compare.ts';
import { h } from './dom.ts';
import { morph } from './morph.ts';
import { type Page, runPage } from './run.ts';

/** Widest content, and the gap between two columns, as in the style sheets. */
const [WIDEST, GAP, TWO_COLUMNS] = [1120, 56, 860];
const NARROWEST = 280;

let data: ReportData = JSON.parse(document.getElementById('data')!.textContent);
const isLive = document.documentElement.dataset.live !== undefined;
/** Numbers of the runs that are left out of the charts. */
const hidden = new Set<number>();
const root = document.body.appendChild(h('div', { id: 'page' }));
/** What the connection to a training run has to say. */
let connection = '';

function render(): void {
  const { runs } = data;
  const space = spaceOf(root);
  const page = runs.length === 1 ? runPage(runs[0], space) : comparisonPage(runs, hidden, space);
  document.title = page.title;
  morph(root, h('div', { id: 'page' }, layout(page)));
}

function layout({ header, sections }: Page) {
  return [
    h('a', { class: 'skip', href: '#content' }, 'Skip to the content'),
    h(
      'header',
      {},
      h('button', { type: 'button', id: 'theme' }, isDark() ? 'Light theme' : 'Dark theme'),
      header,
      h('p', { id: 'connection', role: 'status' }, connection),
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
      isLive ? data.generator : `${data.generator} · this page needs no network and can be passed on as it is`,
    ),
  ];
}

/** The space of a chart: half of the content, or all of it on a narrow screen. */
function spaceOf(element: HTMLElement): Space {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  const inner = element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
  // A page that is not on a screen yet has no width.
  const content = Math.max(NARROWEST, Math.min(WIDEST, inner));
  return content >= TWO_COLUMNS
    ? { width: Math.floor((content - GAP) / 2), height: 320 }
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

/** Follows a run that is being trained: every event holds all of it. */
function follow(): void {
  const events = new EventSource('/events');
  events.addEventListener('message', (event) => {
    const run: RunReport = JSON.parse(event.data);
    data = { ...data, runs: [run] };
    connection = '';
    render();
  });
  events.addEventListener('error', () => {
    const isOver = data.runs[0]?.state !== 'training';
    if (isOver) events.close();
    connection = isOver ? '' : 'nn-train does not answer; this is what it said last. Trying again …';
    render();
  });
}

render();
if (isLive) follow();
