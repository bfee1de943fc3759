// Measures nn-train against its peers in one interleaved run and prints Markdown tables:
//
//   node scripts/bench/compare.mjs --data FOLDER [--rounds 5] [--seconds 1] [--peers ours,pytorch,…]
//     [--workloads linear-256,…] [--python PATH]… [--json | --page docs/benchmarks.md]
//
// FOLDER holds data_batch_1.bin to data_batch_5.bin. --peers and --workloads select by the beginnings of names. --page
// replaces the figures in a Markdown file. Every round measures every peer once on every workload, so that whatever else
// the machine does affects all of them equally.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Peer } from './peer.mjs';
import { findPeers } from './peers.mjs';
import { describeMachine, markdown, median, withFigures } from './table.mjs';
import { MAX_LOSS, RECIPE, THREADS, WORKLOADS } from './workloads.mjs';

/** After this many rounds, a setting slower than this share of the best of its group is dropped: it cannot win. */
const ROUNDS_BEFORE_DROPPING = 2;
const DROPPED_BELOW = 0.7;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    peers: { type: 'string', default: '' },
    workloads: { type: 'string', default: '' },
    python: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    page: { type: 'string' },
  },
});
const [rounds, seconds] = [Number(options.rounds), Number(options.seconds)];
if (!options.data || !(rounds >= 1) || !(seconds > 0)) {
  console.error(
    'usage: node scripts/bench/compare.mjs --data FOLDER [--rounds 5] [--seconds 1] …; see its first lines',
  );
  process.exit(2);
}

const peers = await startPeers();
const entries = WORKLOADS.filter(({ name }) => isChosen(name, options.workloads)).flatMap(entriesOf);
const loads = new Map();
for (let round = 0; round < rounds; round++) {
  await measureLoading();
  for (const workload of WORKLOADS) await measureWorkload(workload, round);
}
for (const peer of peers) peer.close();

const measured = entries
  .filter(({ rounds }) => rounds.length > 0)
  .map((entry) => ({ ...entry, imagesPerSecond: median(entry.rounds) }));
const loading = [...loads].map(([name, all]) => ({ name, seconds: median(all), rounds: all }));
const settings = { date: new Date().toISOString(), rounds, seconds, threads: THREADS, ...RECIPE };
const report = { machine: describeMachine(), settings, entries: measured, loading };
if (options.page === undefined) console.log(options.json ? JSON.stringify(report, null, 2) : markdown(report));
else writeFileSync(options.page, withFigures(readFileSync(options.page, 'utf8'), 'compare.mjs', markdown(report)));

function isChosen(name, list) {
  return list === '' || list.split(',').some((beginning) => name.startsWith(beginning));
}

async function startPeers() {
  const data = resolve(options.data);
  for (let i = 1; i <= 5; i++) readFileSync(join(data, `data_batch_${i}.bin`)); // so that no peer waits for the disk
  const skip = (name, hint) => console.error(`no ${name}: ${hint}`);
  const started = [];
  process.on('exit', () => {
    for (const peer of started) peer.close();
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
  for (const spec of findPeers({ data, pythons: options.python.map((path) => resolve(path)), skip })) {
    if (!isChosen(spec.id, options.peers)) continue;
    try {
      const peer = await Peer.start(spec);
      started.push(peer);
      console.error(`${spec.id}: ${peer.hello.name}, ${peer.hello.settings}`);
    } catch (error) {
      skip(spec.id, error.message);
    }
  }
  return started;
}

/** The entries of a workload: every mode of every peer. */
function entriesOf(workload) {
  return peers.flatMap((peer) =>
    peer.hello.modes.map((mode) => {
      const { name, settings } = peer.hello;
      const label = [name, settings, ...(mode === 'default' ? [] : [mode])].join(', ');
      const group = mode.endsWith(', medium') ? `${peer.group}, medium` : peer.group;
      return { workload: workload.name, peer: peer.id, group, name, mode, label, rounds: [], losses: [] };
    }),
  );
}

async function measureWorkload(workload, round) {
  const rivals = entries.filter((entry) => entry.workload === workload.name && !entry.failed);
  const first = rivals.length > 0 ? Math.floor((round * rivals.length) / rounds) : 0;
  for (const entry of [...rivals.slice(first), ...rivals.slice(0, first)]) {
    if (round >= ROUNDS_BEFORE_DROPPING && cannotWin(entry, rivals)) continue;
    const peer = peers.find(({ id }) => id === entry.peer);
    const { name, ...request } = workload;
    let outcome;
    try {
      const answer = await peer.ask({ ...request, ...RECIPE, threads: THREADS, mode: entry.mode, seconds });
      if (!(answer.loss < MAX_LOSS)) throw new Error(`its loss is ${answer.loss}, wanted less than ${MAX_LOSS}`);
      entry.rounds.push(answer.imagesPerSecond);
      entry.losses.push(answer.loss);
      outcome = `${Math.round(answer.imagesPerSecond).toLocaleString('en-US')} images/s, loss ${answer.loss.toFixed(2)}`;
    } catch (error) {
      entry.failed = error.message;
      outcome = `dropped: ${error.message}`;
    }
    console.error(`${round + 1}/${rounds} ${name}: ${entry.label}: ${outcome}`);
  }
}

function cannotWin(entry, rivals) {
  if (entry.group === 'ours') return false;
  const best = Math.max(...rivals.filter(({ group }) => group === entry.group).flatMap((rival) => rival.rounds));
  return Math.max(...entry.rounds) < DROPPED_BELOW * best;
}

/** Measures once per name: thread settings do not affect reading files. */
async function measureLoading() {
  const names = new Map(peers.filter(({ isAlive }) => isAlive).map((peer) => [peer.hello.name, peer]));
  for (const [name, peer] of names) {
    if (!loads.has(name)) loads.set(name, [peer.hello.loadSeconds]);
    try {
      loads.get(name).push((await peer.ask({ load: true })).loadSeconds);
    } catch (error) {
      console.error(`${name} failed to load the images again: ${error.message}`);
    }
  }
}
