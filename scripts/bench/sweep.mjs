// Measures how long nn-train and Optuna with PyTorch take for the same search of hyperparameters, and prints a Markdown table:
//
//   node scripts/bench/sweep.mjs --data FOLDER [--node PATH]… [--python PATH]… [--rounds 3] [--sides nn-train,…]
//     [--searches linear,mlp] [--runs FILE] [--page docs/benchmarks.md]
//
// FOLDER holds the six .bin files. A run is one process, from its start to its end: reading the images, all trials, and the best
// of them. Each round is a seed, with which every side runs in turn, so that whatever else the machine does affects all of them
// equally. A side in Python first tries its settings on a few trials, and runs with the fastest.
//
// --sides selects by the beginnings of names. --runs keeps every run in a file, and does not repeat what the file has.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findPythons, pythonEnvironment } from './peers.mjs';
import { describeMachine, median, table, withFigures } from './table.mjs';
import { THREADS } from './workloads.mjs';

/** Of each field its least and largest value, and whether it is log-uniform. */
const RATES = { lr: [1e-4, 1e-1, true], weightDecay: [1e-5, 0.5, true] };
const SEARCHES = [
  { name: 'linear', flags: ['--model', 'linear', '--epochs', '5'], space: RATES, trials: 64 },
  {
    name: 'mlp',
    flags: ['--model', 'mlp', '--recipe', 'plain', '--precision', 'int8', '--hidden', '128', '--epochs', '5'],
    space: { ...RATES, dropout: [0, 0.5, false] },
    trials: 32,
  },
];
/** Validation images, enough to rank trials. */
const VAL = '5000';
/** Ways of a step in optuna_sweep.py. */
const WAYS = { autograd: 'autograd', float32: 'by hand, float32', bfloat16: 'by hand, bfloat16' };
const SETTINGS = [
  { jobs: 1, threads: THREADS },
  { jobs: THREADS, threads: 1 },
];
const PROBE_TRIALS = 4;
const NN_TRAIN = fileURLToPath(new URL('../../bin/nn-train.js', import.meta.url));
const OPTUNA = fileURLToPath(new URL('peers/optuna_sweep.py', import.meta.url));

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    python: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    sides: { type: 'string', default: '' },
    searches: { type: 'string', default: SEARCHES.map(({ name }) => name).join(',') },
    runs: { type: 'string' },
    page: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
if (!options.data || !(rounds >= 1)) {
  console.error('usage: node scripts/bench/sweep.mjs --data FOLDER …; see its first lines');
  process.exit(2);
}
const data = resolve(options.data);
const searches = SEARCHES.filter(({ name }) => options.searches.split(',').includes(name));
const sides = [
  ...options.node.map(nodeSide),
  ...findPythons(options.python.map((path) => resolve(path))).flatMap(optunaSides),
].filter(({ name }) => options.sides.split(',').some((beginning) => name.startsWith(beginning)));
const isKept = options.runs !== undefined && existsSync(options.runs);
const lines = isKept ? readFileSync(options.runs, 'utf8').trim().split('\n') : [];
const runs = lines.map((line) => JSON.parse(line));

for (let seed = 0; seed < rounds; seed++) {
  const first = Math.floor((seed * sides.length) / rounds);
  for (const search of searches) {
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) await measure(side, search, seed);
  }
}
const figures = [heading(), figureTable()].join('\n\n');
if (options.page === undefined) console.log(figures);
else writeFileSync(options.page, withFigures(readFileSync(options.page, 'utf8'), 'sweep.mjs', figures));

/** Who searches: { name, settings, run(search, seed, setting, trials) }, where `run` resolves to the best validation accuracy. */
function nodeSide(command) {
  const version = spawnSync(command, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim();
  const run = async (search, seed) => {
    const folder = mkdtempSync(join(tmpdir(), 'sweep-'));
    try {
      const ranges = Object.entries(search.space).map(
        ([field, [min, max, log]]) => `--search=${optionOf(field)}=${min}..${max}${log ? ':log' : ''}`,
      );
      const args = ['--trials', `${search.trials}`, '--data', data, '--out', folder, '--json', '--quiet', ...ranges];
      const { ranking } = await jsonOf(command, [NN_TRAIN, 'sweep', ...flags(search, seed), ...args]);
      return ranking[0].mean;
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  return { name: `nn-train, Node ${version}`, settings: [{ jobs: THREADS, threads: 1 }], run };
}

function optionOf(field) {
  return field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function optunaSides(python) {
  if (!python.torch || !python.optuna) return [];
  return Object.entries(WAYS).map(([way, says]) => ({
    name: `Optuna ${python.optuna}, PyTorch ${python.torch}, ${says}`,
    settings: SETTINGS,
    async run({ space, ...search }, seed, { jobs, threads }, trials = search.trials) {
      const request = { config: configOf(search, seed), space, trials };
      const args = [OPTUNA, data, JSON.stringify(request), `${jobs}`, `${threads}`, way];
      // Alone on the machine, threads that wait awake make a step faster.
      const env = { ...pythonEnvironment(python, threads), OMP_WAIT_POLICY: 'active' };
      return (await jsonOf(python.command, args, env)).accuracy;
    },
  }));
}

function flags(search, seed) {
  return [...search.flags, '--seed', `${seed}`, '--val', VAL];
}

/** The hyperparameters of a trial as nn-train prints them, so that both sides have the same. */
function configOf(search, seed) {
  const args = [NN_TRAIN, ...flags(search, seed), '--print-config'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The object that a process prints. @throws Error with its stderr if it fails. */
async function jsonOf(command, args, env = process.env) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise((settle, fail) => child.on('error', fail).on('close', settle));
  const [code, out, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${code}: ${errors}`);
  return JSON.parse(out);
}

async function measure(side, search, seed) {
  if (runsOf(side, search).some((run) => run.seed === seed)) return;
  const setting = await fastestSetting(side, search);
  const { seconds, result: accuracy } = await timed(() => side.run(search, seed, setting));
  const run = { side: side.name, search: search.name, seed, ...setting, accuracy, seconds };
  runs.push(run);
  if (options.runs !== undefined) appendFileSync(options.runs, `${JSON.stringify(run)}\n`);
  console.error(`${side.name}, ${search.name}, seed ${seed}: ${percent(accuracy)} in ${seconds.toFixed(1)} s`);
}

/** The setting of the runs before or, before the first one, the fastest on a few trials. */
async function fastestSetting(side, search) {
  const [before] = runsOf(side, search);
  if (before) return { jobs: before.jobs, threads: before.threads };
  let fastest = { setting: side.settings[0], seconds: Infinity };
  for (const setting of side.settings.length > 1 ? side.settings : []) {
    const { seconds } = await timed(() => side.run(search, 0, setting, PROBE_TRIALS));
    if (seconds < fastest.seconds) fastest = { setting, seconds };
  }
  return fastest.setting;
}

async function timed(work) {
  const started = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - started) / 1000 };
}

function runsOf(side, search) {
  return runs.filter((run) => run.side === side.name && run.search === search.name && run.seed < rounds);
}

function heading() {
  const { cpu, cores, os, arch } = describeMachine();
  return [
    `${cpu}, ${cores} cores, ${os} ${arch}, ${new Date().toISOString().slice(0, 10)}.`,
    `Seconds from the start of the process to its end and best validation accuracy, ${rounds > 1 ? `medians of ${rounds} seeds` : 'one seed'}.`,
    'In brackets: how many times as long as the fastest nn-train.',
  ].join('\n');
}

function figureTable() {
  const secondsOf = (side, search) => median(runsOf(side, search).map(({ seconds }) => seconds));
  const ours = sides.filter(({ name }) => name.startsWith('nn-train'));
  const cells = searches.map((search) => {
    const base = Math.min(...ours.map((side) => secondsOf(side, search)));
    return sides.map((side) => {
      const found = runsOf(side, search);
      const ratio =
        ours.includes(side) || ours.length === 0 ? '' : ` (${(secondsOf(side, search) / base).toFixed(2)}×)`;
      const { jobs, threads } = found[0];
      const setting = `${jobs} at a time, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`;
      return `${secondsOf(side, search).toFixed(1)}${ratio}; ${percent(median(found.map(({ accuracy }) => accuracy)))}; ${setting}`;
    });
  });
  const header = searches.map(
    ({ name, space, trials }) => `${name}: ${Object.keys(space).join(' × ')}, ${trials} trials`,
  );
  return table(
    ['', ...header],
    sides.map(({ name }, i) => [name, ...cells.map((column) => column[i])]),
  );
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}
