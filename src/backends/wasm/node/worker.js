// A worker thread: does tasks until the backend is closed or a task fails, and sleeps while there are none. It is plain
// JavaScript, so that it also runs before the project is built.
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, base, thread, offset } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory, base } });
const serve = /** @type {(thread: number) => number} */ (exports.serve);
const words = new Int32Array(memory.buffer);
/** @param {string} word */
const at = (word) => (base + offset[word]) >>> 2;
parentPort?.postMessage('ready');
try {
  while (Atomics.load(words, at('closed')) === 0) {
    const seen = serve(thread);
    Atomics.add(words, at('sleepers'), 1);
    Atomics.wait(words, at('signal'), seen);
    Atomics.sub(words, at('sleepers'), 1);
  }
} catch (error) {
  Atomics.store(words, at('failed'), 1);
  Atomics.notify(words, at('done'));
  throw error;
}
