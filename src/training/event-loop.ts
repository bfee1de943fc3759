import { setImmediate } from 'node:timers/promises';

const MAX_BLOCKED_MS = 25;
let lastTurn = performance.now();

/** Gives signals, timers and streams a turn if the last one was 25 ms ago or more. Training needs the call, as it never
 *  leaves the microtask queue by itself. */
export async function yieldToEventLoop(): Promise<void> {
  if (performance.now() - lastTurn < MAX_BLOCKED_MS) return;
  await setImmediate();
  lastTurn = performance.now();
}
