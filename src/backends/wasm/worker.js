// A worker thread: it does tasks until the backend is closed, or until it fails. Plain JavaScript, so that it can be
// started before the project is built.
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, thread, failed, done } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
parentPort?.postMessage('ready');
try {
  /** @type {(thread: number) => void} */ (exports.serve)(thread);
} catch (error) {
  const words = new Int32Array(memory.buffer);
  Atomics.store(words, failed >> 2, 1);
  Atomics.notify(words, done >> 2);
  throw error;
}
