import { defineConfig } from 'vitest/config';

/** Ends what hangs. It is no measure of speed: no test may depend on how fast the machine is, or how busy. */
const HANGS_MS = 20 * 60_000;

/** Where Node takes part: processes, threads, WebAssembly, files, sockets, and the bits of training. These tests run on every
 *  Node that is supported. The others are about the language alone, about pages in a browser or about the documentation, and
 *  run on one. They share their process and modules, which saves a third of a second for each file, so a file that replaces
 *  modules (gradcheck) or measures the memory of its process (fuzz) is among the first. */
const ON_EVERY_NODE = ['backends', 'cli', 'dataset', 'fuzz', 'gradcheck', 'lock', 'runs', 'sweep', 'training'];
const folders = `test/{${ON_EVERY_NODE}}/**/*.test.ts`;

export default defineConfig({
  test: {
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    teardownTimeout: HANGS_MS,
    expect: { poll: { timeout: HANGS_MS } },
    maxWorkers: '100%',
    projects: [
      { extends: true, test: { name: 'every-node', include: [folders, 'test/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'one-node', isolate: false, include: ['test/*/**/*.test.ts'], exclude: [folders] },
      },
    ],
  },
});
