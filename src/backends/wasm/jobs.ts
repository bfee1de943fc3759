import type { Local, ModuleBuilder } from './assembler/assembler.ts';
import { atomic, call, callIndirect, drop, i32, i64 } from './assembler/instructions.ts';

// Fork and join, inside WebAssembly. A job is a kernel and a number of tasks. All threads, including the main thread, claim
// tasks from one word, the ticket. It holds the number of the job, its number of tasks and the next task:
//
//     ticket = job << 40 | tasks << 20 | next
//
// One atomic addition claims a task, so a late thread finds either no task to claim or a task of the current job. A job
// ends when all its tasks are done; nothing waits for a thread that has claimed no task.

/** Addresses of the words that the threads share. Each word that changes while threads wait has its own cache line. */
export const ADDRESS = {
  ticket: 0x400,
  done: 0x480,
  /** Incremented by every job; idle workers wait on it. */
  signal: 0x500,
  sleepers: 0x580,
  /** 1 while the main thread waits on `done`. */
  mainIsWaiting: 0x600,
  /** 1 once a worker has failed. */
  failed: 0x680,
  /** 1 once the workers should exit. */
  closed: 0x700,
  kernel: 0x780,
  /** One of MAX_SPINS. */
  maxSpins: 0x7a0,
  /** Written to, but never read. */
  discard: 0x7c0,
  args: 0x800,
} as const;
/** The first address after the shared words. */
export const HEAP_START = 0x1000;
export const MAX_TASKS = 0xf0000;

/** Iterations, of about a nanosecond each, for which an idle thread spins before it sleeps. The limit covers the time
 *  between two jobs, because waking a sleeping thread may take longer than a job. With more threads than cores a spinning
 *  thread takes time from the others, so it sleeps sooner. (Threads sleep in JavaScript: memory.atomic.wait32, as compiled
 *  by the baseline compiler of Node 20, sometimes missed its timeout.) */
export const MAX_SPINS = { coreEach: 200_000, oversubscribed: 2_000 } as const;

const nextOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(ticket), 0xfffff);
const tasksOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(i64.shr_u(ticket, 20n)), 0xfffff);

/** Adds the exported functions
 *
 *  - run(kernel, tasks, job): takes part in a job and briefly waits for the other threads. Returns 1 if the job is done, 0 if
 *    tasks are still running;
 *  - serve(thread), with shared memory only: does tasks until there have been none for a while. Returns the last `signal`
 *    that it saw. */
export function addJobs(module: ModuleBuilder, isShared: boolean): void {
  const kernelType = module.type(['i32', 'i32', 'i32'], 'void');
  if (!isShared) {
    module.function(
      ['i32', 'i32', 'i32'],
      (f, kernel, tasks) => {
        const task = f.local('i32');
        f.while(i32.lt_u(task, tasks), () => {
          f.do(callIndirect(kernelType, kernel, task, ADDRESS.args, 0));
          f.set(task, i32.add(task, 1));
        });
        f.return(i32.const(1));
      },
      { name: 'run', result: 'i32' },
    );
    return;
  }

  /** (thread): claims and does tasks until none are left. */
  const work = module.function(['i32'], (f, thread) => {
    const ticket = f.local('i64', atomic.load_i64(i32.const(ADDRESS.ticket)));
    const task = f.local('i32');
    f.while(i32.lt_u(nextOf(ticket), tasksOf(ticket)), () => {
      f.set(ticket, atomic.add_i64(i32.const(ADDRESS.ticket), 1n));
      f.set(task, nextOf(ticket));
      f.if(i32.lt_u(task, tasksOf(ticket)), () => {
        f.do(callIndirect(kernelType, i32.load(i32.const(ADDRESS.kernel)), task, ADDRESS.args, thread));
        const before = f.local('i32', atomic.add_i32(i32.const(ADDRESS.done), 1));
        const isLast = i32.eq(i32.add(before, 1), tasksOf(ticket));
        f.if(i32.and(isLast, atomic.load_i32(i32.const(ADDRESS.mainIsWaiting))), () =>
          f.do(drop(atomic.notify(i32.const(ADDRESS.done), 1))),
        );
        f.set(ticket, atomic.load_i64(i32.const(ADDRESS.ticket)));
      });
    });
  });

  module.function(
    ['i32', 'i32', 'i32'],
    (f, kernel, tasks, job) => {
      f.do(i32.store(i32.const(ADDRESS.kernel), kernel));
      f.do(atomic.store_i32(i32.const(ADDRESS.done), 0));
      const low = i64.shl(i64.extend_i32_u(tasks), 20n);
      f.do(atomic.store_i64(i32.const(ADDRESS.ticket), i64.or(i64.shl(i64.extend_i32_u(job), 40n), low)));
      f.do(drop(atomic.add_i32(i32.const(ADDRESS.signal), 1)));
      f.if(atomic.load_i32(i32.const(ADDRESS.sleepers)), () =>
        f.do(drop(atomic.notify(i32.const(ADDRESS.signal), i32.const(-1)))),
      );
      f.do(call(work, i32.const(0)));
      const spins = f.local('i32');
      const maxSpins = f.local('i32', i32.load(i32.const(ADDRESS.maxSpins)));
      f.while(i32.lt_u(atomic.load_i32(i32.const(ADDRESS.done)), tasks), () => {
        f.set(spins, i32.add(spins, 1));
        f.if(i32.gt_u(spins, maxSpins), () => f.return(i32.const(0)));
      });
      f.return(i32.const(1));
    },
    { name: 'run', result: 'i32' },
  );

  module.function(
    ['i32'],
    (f, thread) => {
      const seen = f.local('i32');
      const spins = f.local('i32');
      const maxSpins = f.local('i32', i32.load(i32.const(ADDRESS.maxSpins)));
      f.while(i32.lt_u(spins, maxSpins), () => {
        f.set(seen, atomic.load_i32(i32.const(ADDRESS.signal)));
        f.do(call(work, thread));
        f.set(spins, i32.const(0));
        f.while(i32.and(i32.lt_u(spins, maxSpins), i32.eq(atomic.load_i32(i32.const(ADDRESS.signal)), seen)), () =>
          f.set(spins, i32.add(spins, 1)),
        );
      });
      f.return(seen);
    },
    { name: 'serve', result: 'i32' },
  );
}
