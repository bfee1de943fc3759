// A worker thread of a sweep that crashes at trial 1, throws at trial 2, and waits to be stopped at trial 3.
import { parentPort, workerData } from 'node:worker_threads';

if (workerData.folder === 'cannot start') throw new Error('no room');
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
/** @param {object | undefined} outcome */
const send = (outcome) => port.postMessage({ type: 'outcome', outcome });
port.on('message', ({ type, job }) => {
  if (type === 'stop') send(undefined);
  else if (job.trial === 1) process.exit(3);
  else if (job.trial === 2) throw new Error('a bug');
  else if (job.trial === 3) port.postMessage({ type: 'progress', epochs: 0.5 });
  else send({ type: 'result', trial: job.trial, worker: workerData.worker });
});
port.postMessage({ type: 'ready' });
