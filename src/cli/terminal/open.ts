import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Io, printNote } from './io.ts';

/** Time to wait for the program that opens the browser to fail, on a busy machine too. */
const FAILURE_MS = 2000;

/** Opens a file or a URL in the browser. A failure prints a note and is not an error. */
export async function openInBrowser(io: Io, target: string): Promise<void> {
  try {
    const { default: open } = await import('open');
    const browser = await open(target);
    const ending = once(browser, 'exit') as Promise<[code: number | null]>;
    const [code] = await Promise.race([ending, sleep(FAILURE_MS, [0])]);
    if (code !== 0) throw new Error(`the program that opens it exited with code ${code}`);
  } catch (error) {
    printNote(io, `cannot open a browser: ${(error as Error).message}; open ${target} yourself`);
  }
}
