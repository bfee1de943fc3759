// Loaded into a process with --import: its time limits of several seconds, which spare a user a wait, never end. Beside
// other tests, a process or its server can be too busy to keep them.
const LIMIT_MS = 4000;
/** As long as a timer can be set: 24 days. */
const NEVER_MS = 2 ** 31 - 1;

const { setTimeout } = globalThis;
/** @type {any} */
const patientTimeout = (
  /** @type {() => void} */ callback,
  /** @type {number} */ delay,
  /** @type {any[]} */ ...args
) => setTimeout(callback, delay >= LIMIT_MS ? NEVER_MS : delay, ...args);
globalThis.setTimeout = patientTimeout;
AbortSignal.timeout = () => new AbortController().signal;
