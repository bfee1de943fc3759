import { once } from 'node:events';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../../support/cifar10.ts';
import { nnTrain } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const EPOCHS = 5;
const RUN = [...onSmallCifar10(scratchFolder()), '--epochs', String(EPOCHS), '--out', 'run', '--no-progress'];

describe('a run that is being trained', () => {
  it.skipIf(process.platform === 'win32')('is not resumed by a second process, and can be read', async () => {
    const cwd = temporaryFolder();
    let seen: Promise<unknown> | undefined;
    const first = nnTrain(RUN, {
      cwd,
      // Suspended, so that it cannot end before the others.
      signalItself: { signal: 'SIGSTOP', text: `1/${EPOCHS} ` },
      onStart: (child) => {
        seen = once(child.stdout!, 'data').then(() => child.pid);
      },
    });
    const pid = await seen;
    const lock = path.join(cwd, 'run/lock');
    await expect.poll(() => existsSync(lock)).toBe(true);

    const { code, stdout, stderr } = await nnTrain(['--resume', 'run'], { cwd });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: run is being trained by process .+ stop it, which saves the run.*\n$/);
    expect(stderr).toContain(` by process ${pid} on ${hostname()}, since ${new Date().getFullYear()}-`);
    expect((await nnTrain(['eval', 'run'], { cwd })).code).toBe(0);

    process.kill(Number(pid), 'SIGCONT');
    expect((await first).code).toBe(0);
    const lines = readFileSync(path.join(cwd, 'run/metrics.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).epoch)).toEqual([1, 2, 3, 4, 5]);
    const steps = readFileSync(path.join(cwd, 'run/steps.jsonl'), 'utf8').trimEnd().split('\n');
    expect(new Set(steps.map((line) => JSON.parse(line).step)).size).toBe(steps.length);
    expect(existsSync(lock)).toBe(false);
  });
});

describe('a run whose process was killed', () => {
  it('is resumed at once on the same machine, and leaves no lock', async () => {
    const cwd = temporaryFolder();
    const killed = await nnTrain(RUN, { cwd, signalItself: { signal: 'SIGKILL', text: `1/${EPOCHS} ` } });
    expect(killed.signal).toBe('SIGKILL');
    const lock = path.join(cwd, 'run/lock');
    expect(existsSync(lock)).toBe(true);
    const { code, stderr } = await nnTrain(['--resume', 'run', '--quiet'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(existsSync(lock)).toBe(false);
  });

  it('is resumed on another machine once heartbeats have stopped for two minutes', async () => {
    const cwd = temporaryFolder();
    await nnTrain(RUN, { cwd, signalItself: { signal: 'SIGKILL', text: `1/${EPOCHS} ` } });
    const lock = path.join(cwd, 'run/lock');
    const record = JSON.parse(readFileSync(lock, 'utf8'));
    writeFileSync(lock, JSON.stringify({ ...record, host: 'node-7' }));
    const refused = await nnTrain(['--resume', 'run'], { cwd });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^error: run is being trained by process \d+ on node-7, since .+, whose last sign of life was \d+ s ago; wait until that process ends, or stop it, which saves the run\. If it has ended already, the run is free in \d+ s, or once you delete run\/lock\n$/,
    );
    const old = new Date(Date.now() - 121_000);
    utimesSync(lock, old, old);
    const { code, stderr } = await nnTrain(['--resume', 'run', '--quiet'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(existsSync(lock)).toBe(false);
  });
});
