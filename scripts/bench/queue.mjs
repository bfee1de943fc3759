// Measures how many trials a second pass a queue, its coordinator and the journal, if workers compute nothing:
//
//   node scripts/bench/queue.mjs [--trials 10000] [--workers 1] [--capacity 4] [--folder DIR] [--profile DIR]
//
// It starts a Redis server with its append-only file on a free port, and workers in processes of their own; this process is the
// coordinator. A result has the curve of five epochs. Every tenth of the trials prints a line: trials a second since the last
// line, and the memory of this process (resident, and the heap after a collection), of the first worker and of the server.
//
// --capacity: trials that a worker takes at the same time. --folder: where the journal and the server's file lie; their disk
// matters, because each is synced. --profile: write CPU profiles of coordinator and workers there.

import { fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { effectiveConfig } from '../../dist/config/resolve.js';
import { connect } from '../../dist/sweep/queue/connection.js';
import { QueueExecutor } from '../../dist/sweep/queue/executor.js';
import { Heartbeat } from '../../dist/sweep/queue/heartbeat.js';
import { sweepId } from '../../dist/sweep/queue/protocol.js';
import { QueueWorker } from '../../dist/sweep/queue/worker.js';
import { parseSpace } from '../../dist/sweep/space/parse-space.js';
import { createSweep, Sweep } from '../../dist/sweep/sweep.js';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '1' },
    capacity: { type: 'string', default: '4' },
    folder: { type: 'string', default: tmpdir() },
    profile: { type: 'string' },
    /** Internal: the URL that a worker works for. */
    worker: { type: 'string' },
  },
});
const CONDITIONS = { version: '0', sha256: 'a'.repeat(64), backend: 'wasm', fma: true };
const PARTS = 10;

if (options.worker) await work(options.worker, Number(options.capacity));
else await measure();

async function work(url, capacity) {
  const connection = await connect(url);
  const executor = { capacity, run: async (job) => resultOf(job), stop() {}, async close() {} };
  const heartbeat = new Heartbeat(connection.redis, { worker: `process ${process.pid}`, capacity }, () => 1);
  const stop = new AbortController();
  process.once('disconnect', () => stop.abort());
  process.send('ready');
  await new QueueWorker({ connection, executor, conditions: CONDITIONS, heartbeat }).run(stop.signal);
}

/** A result without a training. */
function resultOf({ trial, rung, seed, config, epochs }) {
  const metrics = { loss: 2 - config.lr, accuracy: config.lr };
  const curve = Array.from({ length: epochs }, (_, i) => ({ epoch: i + 1, train: metrics, validation: metrics }));
  const weights = createHash('sha256').update(`${trial}`).digest('hex');
  const about = { type: 'result', status: 'finished', trial, rung, seed, config: effectiveConfig(config), epochs };
  return { ...about, train: metrics, validation: metrics, curve, weights, seconds: 1, worker: 'nobody' };
}

async function measure() {
  const folder = mkdtempSync(join(options.folder, 'nn-train-queue-'));
  const server = await startServer(folder);
  const workers = await Promise.all(Array.from({ length: Number(options.workers) }, () => startWorker(server.url)));
  try {
    await runSweep(folder, server, workers);
  } finally {
    await Promise.all(workers.map(end));
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function runSweep(folder, server, workers) {
  const trials = Number(options.trials);
  const place = await createSweep(join(folder, 'sweep'), headerOf(trials));
  const sweep = await Sweep.open(place);
  const connection = await connect(server.url);
  const sizeOf = () => statSync(join(place, 'sweep.jsonl')).size;
  const emptyJournal = sizeOf();
  const executor = new QueueExecutor({
    connection,
    sweep: sweepId(sweep.state.sweep, place),
    conditions: CONDITIONS,
    plan: sweep.state.plan,
    onProgress() {},
    onWorkers() {},
    onNote: console.error,
  });
  const startedAt = performance.now();
  let [count, lineAt] = [0, startedAt];
  console.log('trials  per second  coordinator MB  its heap MB  worker MB  server MB');
  const onEvent = ({ type }) => {
    if (type !== 'job-ended' || ++count % (trials / PARTS) > 0) return;
    const now = performance.now();
    const rate = trials / PARTS / ((now - lineAt) / 1000);
    const memory = [residentOf(process.pid), heapSize(), residentOf(workers[0].pid), residentOf(server.pid)];
    console.log([count, rate.toFixed(0), ...memory.map((bytes) => (bytes / 1e6).toFixed(0))].join('\t'));
    lineAt = performance.now();
  };
  try {
    await sweep.run(executor, { signal: new AbortController().signal, onEvent });
    const seconds = (performance.now() - startedAt) / 1000;
    const size = (sizeOf() - emptyJournal) / trials;
    console.log(`${trials} trials in ${seconds.toFixed(1)} s: ${(trials / seconds).toFixed(0)} a second`);
    console.log(`journal: ${size.toFixed(0)} bytes a trial`);
    console.log(await serversShare(connection.redis, trials));
  } finally {
    await executor.close();
    await sweep.release();
  }
}

function headerOf(trials) {
  const dataset = {
    name: 'synthetic',
    source: 'generated',
    sha256: CONDITIONS.sha256,
    images: { train: 1, test: 1 },
  };
  return {
    ...{ type: 'sweep', version: 1, base: { model: 'linear', epochs: 5, val: 5000 }, method: 'random', seed: 0 },
    ...{ space: parseSpace(['lr=1e-4..1e-1:log', 'weightDecay=1e-5..0.5:log']), lag: null, trials, seeds: 1 },
    ...{ metric: 'validation.accuracy', halving: null, rungs: [5], dataset, nnTrain: CONDITIONS.version },
  };
}

/** Time of the server's processor, commands and traffic for each trial. */
async function serversShare(redis, trials) {
  const info = await redis.info();
  const number = (name) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)[1]);
  const cpu = ((number('used_cpu_user') + number('used_cpu_sys')) / trials) * 1e3;
  const bytes = (name) => `${(number(name) / trials / 1e3).toFixed(1)} kB`;
  const traffic = `${bytes('total_net_input_bytes')} in, ${bytes('total_net_output_bytes')} out`;
  return `server: ${cpu.toFixed(2)} ms, ${(number('total_commands_processed') / trials).toFixed(1)} commands, ${traffic} a trial`;
}

function residentOf(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

/** Bytes in use after a collection. */
function heapSize() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

async function startWorker(url) {
  const profile = options.profile ? ['--cpu-prof', '--cpu-prof-dir', options.profile] : [];
  const child = fork(fileURLToPath(import.meta.url), ['--worker', url, '--capacity', options.capacity], {
    execArgv: profile,
  });
  await once(child, 'message');
  return child;
}

async function end(child) {
  const exit = once(child, 'exit');
  child.disconnect();
  await exit;
}

async function startServer(folder) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const settings = ['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  const server = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const text of server.stdout) if (`${text}`.includes('Ready to accept connections')) break;
  const stop = async () => {
    const exit = once(server, 'exit');
    server.kill();
    await exit;
  };
  return { url: `redis://127.0.0.1:${port}`, pid: server.pid, stop };
}
