// Measures how long nn-train and PyTorch take to reach a test accuracy, and prints Markdown tables:
//
//   node scripts/bench/time-to-accuracy.mjs --data FOLDER [--node PATH]… [--python PATH]… [--seeds 3] [--sides nn-train]…
//     [--rungs fast:2,fast/12:3,…] [--runs FILE] [--page docs/benchmarks.md]
//
// FOLDER holds the six .bin files. A rung is a recipe, a number of filters (--hidden) if it is not that of the recipe, and a
// number of epochs; rungs are tried from the cheapest on. A run is timed from the start of its process to its end: start,
// reading, training on all 50,000 images and one evaluation on the test images. A schedule reaches its accuracy only at its
// end, so the time to a level is that of the fastest rung whose accuracy is at least the level, both as medians over the seeds.
// Every side runs a rung in turn, seed by seed, so that whatever else the machine does affects all of them equally; a side
// stops when it has reached every level.
//
// --sides selects by the beginnings of names. --runs keeps every run in a file, and does not repeat what the file has.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findPythons, pythonEnvironment } from './peers.mjs';
import { describeMachine, median, table, withFigures } from './table.mjs';
import { THREADS } from './workloads.mjs';

const LEVELS = [0.55, 0.57, 0.6, 0.65, 0.68, 0.7];
/** From the cheapest on. `plain` is the recipe of a lecture: dense, ReLU, SGD with momentum. */
const RUNGS = [
  ...[3, 5, 7, 10, 15].map((epochs) => `plain:${epochs}`),
  ...['fast/8:2', 'fast/12:3', 'fast/32:2', 'fast/20:6', 'fast:10', 'fast/64:14'],
];
const NN_TRAIN = fileURLToPath(new URL('../../bin/nn-train.js', import.meta.url));
const PYTORCH = fileURLToPath(new URL('peers/pytorch_recipe.py', import.meta.url));

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    python: { type: 'string', multiple: true, default: [] },
    seeds: { type: 'string', default: '3' },
    sides: { type: 'string', multiple: true, default: [''] },
    rungs: { type: 'string', default: RUNGS.join(',') },
    runs: { type: 'string' },
    page: { type: 'string' },
  },
});
const seeds = Number(options.seeds);
if (!options.data || !(seeds >= 1)) {
  console.error('usage: node scripts/bench/time-to-accuracy.mjs --data FOLDER …; see its first lines');
  process.exit(2);
}
const data = resolve(options.data);
const rungs = options.rungs.split(',').map(parseRung);
const sides = findSides().filter(({ name }) => options.sides.some((beginning) => name.startsWith(beginning)));
const isKept = options.runs !== undefined && existsSync(options.runs);
const runs = isKept
  ? readFileSync(options.runs, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];

for (const rung of rungs) {
  const rivals = sides.filter((side) => side.recipes.includes(rung.recipe) && best(side) < LEVELS.at(-1));
  for (let seed = 0; seed < seeds; seed++) {
    const first = Math.floor((seed * rivals.length) / seeds);
    for (const side of [...rivals.slice(first), ...rivals.slice(0, first)]) await measure(side, rung, seed);
  }
}

const figures = [heading(), levelTable(), runTable()].join('\n\n');
if (options.page === undefined) console.log(figures);
else writeFileSync(options.page, withFigures(readFileSync(options.page, 'utf8'), 'time-to-accuracy.mjs', figures));

function parseRung(name) {
  const [network, epochs] = name.split(':');
  const [recipe, hidden] = network.split('/');
  const filters = hidden === undefined ? '' : `, ${hidden} filters`;
  return { name, recipe, hidden, epochs, shown: `${recipe}${filters}, ${epochs}` };
}

/** Who trains, and which recipes: { name, recipes, commandOf(rung, seed) }; a command is { command, args, env }. */
function findSides() {
  return [
    ...options.node.map(nodeSide),
    ...findPythons(options.python.map((path) => resolve(path))).flatMap(pytorchSides),
  ];
}

function nodeSide(command) {
  const version = spawnSync(command, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim();
  const commandOf = (rung, seed) => {
    const args = [NN_TRAIN, ...flags(rung, seed), '--data', data, '--no-save', '--json', '--quiet'];
    return { command, args, accuracyOf: ({ test }) => test.accuracy };
  };
  return { name: `nn-train, Node ${version}`, recipes: ['fast'], commandOf };
}

function pytorchSides(python) {
  if (!python.torch) return [];
  const side = (name, recipes, precision) => ({
    name: `PyTorch ${python.torch}, ${name}`,
    recipes,
    commandOf: (rung, seed) => ({
      command: python.command,
      args: [PYTORCH, data, configOf(rung, seed), `${python.mkl ? THREADS : 1}`, precision],
      // Alone on the machine, threads that wait awake make a step a third faster.
      env: { ...pythonEnvironment(python, THREADS), OMP_WAIT_POLICY: 'active' },
      accuracyOf: ({ accuracy }) => accuracy,
    }),
  });
  return [
    side('float32', ['fast'], 'medium'),
    side('bfloat16', ['fast'], 'bfloat16'),
    side('course recipe, float32', ['plain'], 'medium'),
    side('course recipe, bfloat16', ['plain'], 'bfloat16'),
  ];
}

function flags({ recipe, hidden, epochs }, seed) {
  const width = hidden === undefined ? [] : ['--hidden', hidden];
  return ['--model', 'mlp', '--recipe', recipe, ...width, '--epochs', epochs, '--seed', `${seed}`, '--val', '0'];
}

/** The hyperparameters of a recipe as JSON, as nn-train prints them, so that both sides have the same. */
function configOf(rung, seed) {
  const args = [NN_TRAIN, ...flags(rung, seed), '--print-config'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function runsOf(side, rung) {
  return runs.filter((run) => run.side === side.name && run.rung === rung.name && run.seed < seeds);
}

/** Medians over the seeds, or undefined for a rung that was not run. */
function resultOf(side, rung) {
  const found = runsOf(side, rung);
  if (found.length < seeds) return undefined;
  return { accuracy: median(found.map((run) => run.accuracy)), seconds: median(found.map((run) => run.seconds)) };
}

function best(side) {
  return Math.max(0, ...rungs.map((rung) => resultOf(side, rung)?.accuracy ?? 0));
}

/** @throws Error with the stderr of a run that fails. */
async function measure(side, rung, seed) {
  if (runsOf(side, rung).some((run) => run.seed === seed)) return;
  const { command, args, env = process.env, accuracyOf } = side.commandOf(rung, seed);
  const started = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise((settle, fail) => child.on('error', fail).on('close', settle));
  const [code, out, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${side.name}, ${rung.name}: ended with code ${code}: ${errors}`);
  const run = { side: side.name, rung: rung.name, seed, accuracy: accuracyOf(JSON.parse(out)), seconds };
  runs.push(run);
  if (options.runs !== undefined) appendFileSync(options.runs, `${JSON.stringify(run)}\n`);
  console.error(`${side.name}, ${rung.name}, seed ${seed}: ${percent(run.accuracy)} in ${seconds.toFixed(1)} s`);
}

function heading() {
  const { cpu, cores, os, arch } = describeMachine();
  return [
    `${cpu}, ${cores} cores, ${os} ${arch}, ${new Date().toISOString().slice(0, 10)}.`,
    `Seconds from the start of the process to its end, ${seeds > 1 ? `medians of ${seeds} seeds` : 'one seed'}; in brackets, the`,
    'recipe, its filters for each field if not those of the recipe, and its epochs.',
  ].join('\n');
}

function levelTable() {
  const rows = LEVELS.map((level) => [percent(level), ...sides.map((side) => fastestTo(level, side) ?? '–')]).filter(
    hasFigures,
  );
  return table(['test accuracy', ...sides.map(({ name }) => name)], rows);
}

function fastestTo(level, side) {
  const [first] = rungs
    .map((rung) => ({ ...rung, ...resultOf(side, rung) }))
    .filter(({ accuracy }) => accuracy >= level)
    .sort((a, b) => a.seconds - b.seconds);
  return first && `${first.seconds.toFixed(1)} (${first.shown})`;
}

/** Every rung that was run. */
function runTable() {
  const rows = rungs
    .map((rung) => [rung.shown, ...sides.map((side) => cellOf(resultOf(side, rung)))])
    .filter(hasFigures);
  return table(['recipe, epochs', ...sides.map(({ name }) => name)], rows);
}

function hasFigures([, ...cells]) {
  return cells.some((cell) => cell !== '–');
}

function cellOf(result) {
  return result ? `${percent(result.accuracy)} in ${result.seconds.toFixed(1)} s` : '–';
}

function percent(fraction) {
  return `${Number((100 * fraction).toFixed(2))} %`;
}
