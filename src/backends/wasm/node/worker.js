// A worker thread: it does tasks until the backend is closed, or until it fails, and sleeps while there are none. Plain
// JavaScript, so that it can be started before the project is built.
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, thread, word } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const serve = /** @type {(thread: number) => number} */ (exports.serve);
const words = new Int32Array(memory.buffer);
parentPort?.postMessage('ready');
try {
  while (Atomics.load(words, word.closed >>> 2) === 0) {
    const seen = serve(thread);
    Atomics.add(words, word.sleepers >>> 2, 1);
    Atomics.wait(words, word.signal >>> 2, seen);
    Atomics.sub(words, word.sleepers >>> 2, 1);
  }
} catch (error) {
  Atomics.store(words, word.failed >>> 2, 1);
  Atomics.notify(words, word.done >>> 2);
  throw error;
}
