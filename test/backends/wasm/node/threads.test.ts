import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Backend } from '../../../../src/backends/backend.ts';
import { ModuleBuilder } from '../../../../src/backends/wasm/assembler/assembler.ts';
import { atomic, i32, i64 } from '../../../../src/backends/wasm/assembler/instructions.ts';
import { createWasm } from '../../../../src/backends/wasm/create.ts';
import { ADDRESS } from '../../../../src/backends/wasm/jobs.ts';
import { UserError } from '../../../../src/errors.ts';
import { temporaryFolder } from '../../../support/files.ts';

const worker = new URL('../../../../src/backends/wasm/node/worker.js', import.meta.url);

function scriptOf(text: string): URL {
  const file = path.join(temporaryFolder(), 'worker.mjs');
  writeFileSync(file, text);
  return pathToFileURL(file);
}

/** A worker whose WebAssembly claims one task, and then runs the JavaScript `action` instead of the task. */
function claimingWorker(action: string): URL {
  const module = new ModuleBuilder();
  module.function(
    ['i32'],
    (f) => {
      const ticket = f.local('i64');
      const next = () => i32.and(i32.wrap_i64(ticket), 0xfffff);
      const tasks = () => i32.and(i32.wrap_i64(i64.shr_u(ticket, 20n)), 0xfffff);
      f.while(i32.ge_u(next(), tasks()), () => {
        f.set(ticket, atomic.load_i64(i32.const(ADDRESS.ticket)));
        f.if(i32.lt_u(next(), tasks()), () => f.set(ticket, atomic.add_i64(i32.const(ADDRESS.ticket), 1n)));
      });
    },
    { name: 'serve' },
  );
  const bytes = module.encode({ initialPages: 1, maximumPages: 65_536, shared: true });
  return scriptOf(`
    import { workerData } from 'node:worker_threads';
    workerData.module = new WebAssembly.Module(Uint8Array.from([${bytes}]));
    const { Instance } = WebAssembly;
    WebAssembly.Instance = function (...args) {
      const { serve } = new Instance(...args).exports;
      return { exports: { serve: (thread) => { serve(thread); ${action} } } };
    };
    await import(${JSON.stringify(worker.href)});
  `);
}

/** Work until a worker has taken part and failed; on a busy machine it may be long until the worker gets a turn. */
function work(backend: Backend): void {
  const [a, b, c] = [0, 1, 2].map(() => backend.allocate([600, 600]));
  for (let i = 0; i < 100_000; i++) backend.matmul(a, b, { kind: 'store', tensor: c });
}

describe('a worker thread', () => {
  it('that does not start is an error', async () => {
    const broken = createWasm({
      precision: 'int16',
      threads: 3,
      workerScript: scriptOf("throw new Error('no luck');"),
    });
    await expect(broken).rejects.toThrow(UserError);
    await expect(broken).rejects.toThrow(/a worker thread did not start: no luck; try threads: 1/);
    const ended = createWasm({ precision: 'int16', threads: 2, workerScript: scriptOf('process.exit(7);') });
    await expect(ended).rejects.toThrow('it exited with code 7');
  });

  it('whose task fails is an error at once', async () => {
    const failing = createWasm({
      precision: 'int16',
      threads: 2,
      workerScript: claimingWorker("throw new Error('trap');"),
    });
    const backend = failing.then(work);
    await expect(backend).rejects.toThrow(UserError);
    await expect(backend).rejects.toThrow('a worker thread failed; resume the run from its last checkpoint');
  });

  it('that dies during a task is an error, not a hang', async () => {
    // A minute of waiting takes no time.
    const wait = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    onTestFinished(() => wait.mockRestore());
    const dying = createWasm({ precision: 'int16', threads: 2, workerScript: claimingWorker('process.exit(1);') });
    await expect(dying.then(work)).rejects.toThrow(/a worker thread did not finish its task in 60 s|exited \(code 1\)/);
  });

  it('is not used after the backend is closed', async () => {
    const backend = await createWasm({ precision: 'int16', threads: 2 });
    const tensor = backend.allocate([4]);
    backend.close();
    expect(() => backend.add(tensor, tensor, { kind: 'store', tensor })).toThrow('the backend is closed');
  });
});
