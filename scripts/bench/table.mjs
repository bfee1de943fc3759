import os from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function describeMachine() {
  const cores = os.cpus();
  return { cpu: cores[0].model.trim(), cores: cores.length, os: `${os.type()} ${os.release()}`, arch: os.arch() };
}

/** The report of a run as tables. */
export function markdown({ machine, settings, entries, loading }) {
  const workloads = [...new Set(entries.map(({ workload }) => workload))];
  const of = (workload, group) => entries.filter((entry) => entry.workload === workload && entry.group === group);
  const pytorch = new Map(workloads.map((workload) => [workload, fastest(of(workload, 'PyTorch'))]));
  return [
    heading(machine, settings, entries),
    ourTable(workloads, of, pytorch),
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
    `images/s, medians of ${rounds} interleaved rounds of ${seconds} s each. For every rival the fastest of its settings;`,
    '"medium" is torch.set_float32_matmul_precision("medium").',
  ].join('\n');
}

function ourTable(workloads, of, pytorch) {
  const columns = columnsOf(workloads.flatMap((workload) => of(workload, 'ours')));
  const rows = workloads.map((workload) => {
    const rival = pytorch.get(workload);
    const ours = columns.map((column) => {
      const entry = of(workload, 'ours').find((one) => columnOf(one) === column);
      return withRatio(entry?.imagesPerSecond, rival && entry && entry.imagesPerSecond / rival.imagesPerSecond);
    });
    return [workload, rival ? `${count(rival.imagesPerSecond)}: ${rival.label.replace('PyTorch ', '')}` : '–', ...ours];
  });
  return table(['workload', 'PyTorch, fastest', ...columns], rows);
}

/** The other rivals, and how many times faster our first column is. */
function otherTable(workloads, of, entries) {
  const groups = [...new Set(entries.map(({ group }) => group))].filter(
    (group) => !['ours', 'PyTorch'].includes(group),
  );
  if (groups.length === 0) return 'No other peers.';
  const base = columnsOf(entries.filter(({ group }) => group === 'ours'))[0];
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

function columnsOf(entries) {
  return [...new Set(entries.map(columnOf))];
}

/** "nn-train, Node 20.20.2" in int16 is in the column "Node 20 int16". */
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

/** Three digits are all that such a measurement is good for. */
function count(value) {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}

function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
