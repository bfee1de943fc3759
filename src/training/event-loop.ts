import { setImmediate } from 'node:timers/promises';

const MAX_HOLD_MS = 25;
let last = performance.now();

/** Lets signals, timers and streams have their turn, if they have waited for 25 ms: training itself never leaves the
 *  microtask queue. */
export async function breathe(): Promise<void> {
  if (performance.now() - last < MAX_HOLD_MS) return;
  await setImmediate();
  last = performance.now();
}
