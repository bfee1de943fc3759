// Loaded into a process with --import: makes it send itself a signal at a chosen moment. A signal from outside would come at
// a moment that depends on how busy the machine is.
//
// SIGNAL_ITSELF is JSON: { signal, text, operation }. The signal comes as soon as `text` has been printed or, with an
// `operation`, before the call of that number (from 1) that may change the file system after that.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { signal, text = '', operation = 0 } = JSON.parse(process.env.SIGNAL_ITSELF ?? '{}');
let printed = '';
let operations = 0;
let isPrinted = text === '';

/** @param {Record<string, any>} stream */
function watchOutput(stream) {
  const write = stream.write.bind(stream);
  stream.write = (/** @type {unknown[]} */ ...args) => {
    const result = write(...args);
    printed += args[0];
    if (isPrinted || !printed.includes(text)) return result;
    isPrinted = true;
    if (operation === 0) process.kill(process.pid, signal);
    return result;
  };
}

/** @param {Record<string, unknown>} owner */
function countCalls(owner) {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
    if (typeof value !== 'function' || /^(constructor|read|stat|access)/.test(name)) continue;
    owner[name] = function (/** @type {unknown[]} */ ...args) {
      if (isPrinted && ++operations === operation) process.kill(process.pid, signal);
      return value.apply(this, args);
    };
  }
}

for (const stream of [process.stdout, process.stderr]) watchOutput(stream);
const handle = await fs.promises.open(new URL(import.meta.url));
await handle.close();
countCalls(Object.getPrototypeOf(handle));
countCalls(/** @type {any} */ (fs.promises));
syncBuiltinESMExports();
