import os from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function describeMachine() {
  const cores = os.cpus();
  return { cpu: cores[0].model.trim(), cores: cores.length, os: os.type(), arch: os.arch() };
}

/** A page with the figures between its two comments replaced. @throws Error if it lacks the comments. */
export function withFigures(page, script, figures) {
  const [begin, end] = [`<!-- figures: written by scripts/bench/${script} -->`, '<!-- end of figures -->'];
  const first = page.indexOf(begin);
  const last = page.indexOf(end, first);
  if (first < 0 || last < 0) throw new Error(`the page needs the lines ${begin} and ${end}`);
  return `${page.slice(0, first + begin.length)}\n\n${figures}\n\n${page.slice(last)}`;
}

/** The results of a comparison as Markdown tables. */
export function markdown({ machine, settings, entries, loading }) {
  const workloads = [...new Set(entries.map(({ workload }) => workload))];
  const of = (workload, group) => entries.filter((entry) => entry.workload === workload && entry.group === group);
  return [
    heading(machine, settings, entries),
    ourTable(workloads, of),
    otherTable(workloads, of, entries),
    loadTable(loading),
  ].join('\n\n');
}

function heading({ cpu, cores, os: system, arch }, settings, entries) {
  const { date, rounds, seconds, threads, momentum, weightDecay } = settings;
  const versions = [...new Set(entries.map(({ name }) => name))].join('; ');
  return [
    `${cpu}, ${cores} cores, ${system} ${arch}, ${date.slice(0, 10)}.`,
    `${versions}.`,
    `Training steps, ${threads} threads, SGD with Nesterov momentum ${momentum} and weight decay ${weightDecay}:`,
    `images/s, medians of ${rounds} interleaved rounds of ${seconds} s each; of every other tool, the fastest of its settings.`,
  ].join('\n');
}

/** Each version of PyTorch, and ours with the ratio to the fastest of them. PyTorch with products of lower precision than
 *  float32 has its own column. */
function ourTable(workloads, of) {
  const all = (group) => workloads.flatMap((workload) => of(workload, group));
  const versions = [...new Set(all('PyTorch').map(({ name }) => name))];
  const columns = [...new Set(all('ours').map(columnOf))];
  const rows = workloads.map((workload) => {
    const rivals = of(workload, 'PyTorch');
    const best = fastest(rivals);
    const ours = columns.map((column) => {
      const entry = of(workload, 'ours').find((one) => columnOf(one) === column);
      return withRatio(entry?.imagesPerSecond, best && entry && entry.imagesPerSecond / best.imagesPerSecond);
    });
    const theirs = versions.map((version) => fastest(rivals.filter(({ name }) => name === version)));
    const rates = [...theirs, fastest(of(workload, 'PyTorch, medium'))].map((one) => withRatio(one?.imagesPerSecond));
    return [workload, ...rates, ...ours];
  });
  const note =
    'In brackets: the ratio to the fastest PyTorch that multiplies in float32. "medium" is\n' +
    '`torch.set_float32_matmul_precision("medium")`, which allows products of lower precision.\n\n';
  return note + table(['workload', ...versions, 'PyTorch, medium', ...columns], rows);
}

/** The other tools, and how many times faster our first column is. */
function otherTable(workloads, of, entries) {
  const groups = [...new Set(entries.map(({ group }) => group))].filter(
    (group) => group !== 'ours' && !group.startsWith('PyTorch'),
  );
  if (groups.length === 0) return 'No other peers.';
  const ourEntries = entries.filter(({ group }) => group === 'ours');
  const base = ourEntries.length > 0 ? columnOf(ourEntries[0]) : undefined;
  const rows = workloads.map((workload) => {
    const ours = of(workload, 'ours').find((entry) => columnOf(entry) === base);
    return [
      workload,
      ...groups.map((group) => {
        const rival = fastest(of(workload, group));
        return withRatio(rival?.imagesPerSecond, ours && rival && ours.imagesPerSecond / rival.imagesPerSecond);
      }),
    ];
  });
  const title = base ? `In brackets: how many times faster ${base} is.\n\n` : '';
  return title + table(['workload', ...groups], rows);
}

function loadTable(loading) {
  const rows = loading.map(({ name, seconds }) => [name, seconds.toFixed(3)]);
  return table(['reading the five files, warm cache', 'seconds'], rows);
}

/** The column of an entry: "Node 20 int16" for "nn-train, Node 20.20.2" in int16. */
function columnOf({ name, mode }) {
  return `${name.replace(/^nn-train, /, '').split('.')[0]} ${mode}`;
}

function fastest(entries) {
  return entries.reduce((best, one) => (!best || one.imagesPerSecond > best.imagesPerSecond ? one : best), undefined);
}

function withRatio(value, ratio) {
  if (value === undefined) return '–';
  return ratio ? `${count(value)} (${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}×)` : count(value);
}

/** Rounded to three digits: the measurement is no more precise. */
function count(value) {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}

export function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
