import { parentPort, workerData } from 'node:worker_threads';
import type { Backend, Precision } from '../../backends/backend.ts';
import { openShared } from '../../backends/select.ts';
import { Checkpoints } from '../trial/checkpoints.ts';
import { InlineExecutor } from './inline.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';

// A worker thread of a sweep: runs one job at a time, with a backend of its own in the memory that it shares with the others.

/** Least time between two messages about progress. */
const PROGRESS_INTERVAL_MS = 100;

const { share, threads, folder, worker } = workerData as WorkerData;
const port = parentPort!;
const send = (message: FromWorker) => port.postMessage(message);

const backends = new Map<Precision, Promise<Backend>>();
let reportedAt = 0;

const executor = new InlineExecutor({
  backendFor(precision) {
    const backend = backends.get(precision) ?? openShared(share, { threads, precision });
    backends.set(precision, backend);
    return backend;
  },
  images: share.sets[0],
  checkpoints: new Checkpoints(folder),
  worker,
  onProgress(_, epochs) {
    if (performance.now() - reportedAt < PROGRESS_INTERVAL_MS) return;
    reportedAt = performance.now();
    send({ type: 'progress', epochs });
  },
});

port.on('message', async (message: ToWorker) => {
  if (message.type === 'stop') executor.stop();
  else send({ type: 'outcome', outcome: await executor.run(message.job) });
});
send({ type: 'ready' });
