import { resolveObjectURL } from 'node:buffer';
import { Worker } from 'node:worker_threads';

const GLOBALS = `
const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => globalThis.onmessage({ data }));
`;

/** Gives Node.js the part of the browser's Worker that jax-js needs for threads. */
export function webWorkers(threads) {
  globalThis.Worker = class {
    #worker;

    constructor(url) {
      this.#worker = resolveObjectURL(url)
        .text()
        .then((source) => {
          const worker = new Worker(GLOBALS + source, { eval: true });
          worker.on('message', (data) => this.onmessage({ data }));
          worker.on('error', (error) => this.onerror(error));
          return worker;
        });
    }

    postMessage(message) {
      if (this.#worker instanceof Promise) this.#worker = this.#worker.then((worker) => this.#begin(worker, message));
      else this.#worker.postMessage(message);
    }

    #begin(worker, message) {
      this.#worker = worker;
      worker.postMessage(message);
    }
  };
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: threads }, configurable: true });
}
