import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Backend } from '../../../../src/backends/backend.ts';
import { ModuleBuilder } from '../../../../src/backends/wasm/assembler/assembler.ts';
import { atomic, BASE, i32, i64 } from '../../../../src/backends/wasm/assembler/instructions.ts';
import { createWasm } from '../../../../src/backends/wasm/create.ts';
import { OFFSET, TICKET_BYTES } from '../../../../src/backends/wasm/jobs.ts';
import { UserError } from '../../../../src/errors.ts';
import { temporaryFolder } from '../../../support/files.ts';

/** Workers that were constructed, and how many the system has room for. */
const system = vi.hoisted(() => ({ workers: [] as Worker[], room: Infinity, cores: 2 }));

vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:worker_threads')>();
  class LimitedWorker extends original.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      if (system.workers.length >= system.room) {
        // As under `ulimit -u`.
        throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
      }
      super(...args);
      system.workers.push(this);
    }
  }
  return { ...original, Worker: LimitedWorker };
});

vi.mock('../../../../src/backends/wasm/node/cores.ts', () => ({ availableCores: () => system.cores }));

beforeEach(() => {
  Object.assign(system, { workers: [], room: Infinity, cores: 2 });
});

/** Resolves once all workers constructed so far have ended. */
function allEnded(): Promise<unknown> {
  const running = system.workers.filter(({ threadId }) => threadId !== -1);
  return Promise.all(running.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
}

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
    (f, thread) => {
      const address = f.local('i32', i32.add(i32.add(BASE, OFFSET.tickets), i32.mul(thread, TICKET_BYTES)));
      const ticket = f.local('i64');
      const next = () => i32.and(i32.wrap_i64(ticket), 0xfffff);
      const end = () => i32.and(i32.wrap_i64(i64.shr_u(ticket, 20n)), 0xfffff);
      f.while(i32.ge_u(next(), end()), () => {
        f.set(ticket, atomic.load_i64(address));
        f.if(i32.lt_u(next(), end()), () => f.set(ticket, atomic.add_i64(address, 1n)));
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

describe('worker threads that cannot all start', () => {
  it('are stopped, and it is an error if their number was asked for', async () => {
    system.room = 3;
    const refused = createWasm({ precision: 'int16', threads: 8 });
    await expect(refused).rejects.toThrow(
      'a worker thread did not start: the system has no room for another thread; try threads: 1',
    );
    expect(system.workers).toHaveLength(3);
    await allEnded();
  });

  it('give way to fewer if their number was not asked for', async () => {
    system.cores = 8;
    const broken = scriptOf(`
      import { workerData } from 'node:worker_threads';
      if (workerData.thread === 3) throw new Error('no luck');
      await import(${JSON.stringify(worker.href)});
    `);
    const backend = await createWasm({ precision: 'int16', workerScript: broken });
    expect([backend.info.threads, backend.info.notes]).toEqual([3, ['running on 3 of 8 threads: no luck']]);
    backend.close();
    await allEnded();
  });

  it('are not needed where none may start', async () => {
    system.room = 0;
    const backend = await createWasm({ precision: 'int16' });
    const note = 'running on 1 of 2 threads: the system has no room for another thread';
    expect([backend.info.threads, backend.info.notes]).toEqual([1, [note]]);
  });
});

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
