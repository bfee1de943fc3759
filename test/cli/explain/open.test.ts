import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';

const opened: string[] = [];

vi.mock('open', () => ({
  default: async (target: string) => {
    opened.push(target);
    const program = new EventEmitter();
    setImmediate(() => program.emit('exit', 0));
    return program;
  },
}));

beforeEach(() => void opened.splice(0));

it('--open alone writes the page to one file of the cache, and the next page to the same', async () => {
  const cache = temporaryFolder();
  const file = path.join(cache, 'nn-train', 'explain.html');
  for (const what of ['product', 'sigmoid']) {
    const { code, stderr } = await runMain(['explain', what, '--open'], { XDG_CACHE_HOME: cache });
    expect([code, stderr]).toEqual([0, `wrote ${file}\n`]);
    expect(readFileSync(file, 'utf8')).toContain(`"what":"${what}"`);
  }
  expect(opened).toEqual([file, file]);
  expect(readdirSync(path.dirname(file))).toEqual(['explain.html']);
});

it('--open opens the file of --html', async () => {
  const file = path.join(temporaryFolder(), 'page.html');
  const { code } = await runMain(['explain', 'product', '--html', file, '--open']);
  expect([code, opened]).toEqual([0, [file]]);
});
