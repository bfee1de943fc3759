// A worker thread: does tasks until the backend is closed or a task fails, and sleeps while there are none. It is plain
// JavaScript, so that it also runs before the project is built.
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, thread, address } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const serve = /** @type {(thread: number) => number} */ (exports.serve);
const words = new Int32Array(memory.buffer);
parentPort?.postMessage('ready');
try {
  while (Atomics.load(words, address.closed >>> 2) === 0) {
    const seen = serve(thread);
    Atomics.add(words, address.sleepers >>> 2, 1);
    Atomics.wait(words, address.signal >>> 2, seen);
    Atomics.sub(words, address.sleepers >>> 2, 1);
  }
} catch (error) {
  Atomics.store(words, address.failed >>> 2, 1);
  Atomics.notify(words, address.done >>> 2);
  throw error;
}
