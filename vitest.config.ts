import { defineConfig } from 'vitest/config';

/** Ends what hangs. It is no measure of speed: no test may depend on how fast the machine is, or how busy. */
const HANGS_MS = 20 * 60_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    teardownTimeout: HANGS_MS,
    expect: { poll: { timeout: HANGS_MS } },
    maxWorkers: '100%',
  },
});
