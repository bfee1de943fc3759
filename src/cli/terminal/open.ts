import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from './io.ts';

/** A program that opens browsers fails within that time, if it does, on a busy machine too. */
const FAILURE_MS = 2000;

/** Opens a file or an address in the browser. Where that fails it is said, and is no error. */
export async function openInBrowser(io: Io, target: string): Promise<void> {
  try {
    const { default: open } = await import('open');
    const browser = await open(target);
    const ending = once(browser, 'exit') as Promise<[code: number | null]>;
    const [code] = await Promise.race([ending, sleep(FAILURE_MS, [0])]);
    if (code !== 0) throw new Error(`the program that opens them ended with code ${code}`);
  } catch (error) {
    io.stderr.write(`note: no browser could be opened: ${(error as Error).message}; open ${target} yourself\n`);
  }
}
