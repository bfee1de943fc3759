// Waits in `interruptible` of the built program for a named pipe that nobody writes: node stuck-process.mjs PIPE.
import { readFile } from 'node:fs/promises';

const { interruptible } = await import(new URL('../../dist/cli/terminal/interrupt.js', import.meta.url).href);
const now = performance.now.bind(performance);
let skipped = 0;
performance.now = () => now() + skipped;
const work = async () => {
  const reading = readFile(process.argv[2]);
  console.log('reading');
  await reading;
};
const onInterrupt = () => {
  // The second Ctrl-C counts after a second.
  skipped = 2000;
  console.log('stopping');
};
await interruptible(process, work, onInterrupt);
