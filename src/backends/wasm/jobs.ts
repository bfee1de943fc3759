import type { FunctionBuilder, Local, ModuleBuilder } from './assembler/assembler.ts';
import { atomic, BASE, call, callIndirect, drop, i32, i64 } from './assembler/instructions.ts';
import { loop } from './kernels/kernel.ts';

// Fork and join, inside WebAssembly. A job is a kernel and a number of tasks, which all threads do, including the main thread.
// Each thread has a share of consecutive tasks and does it first, then it helps the others. So in every job of a step it works
// on about the same images and weights, and finds them in its own cache. Shares are claimed from tickets. A ticket holds the
// number of the job, the end of the share and the next task:
//
//     ticket = job << 40 | end << 20 | next
//
// One atomic addition claims a task, so a late thread finds either no task to claim or a task of the current job. A job
// ends when all its tasks are done; nothing waits for a thread that has claimed no task.

/** Offsets of the words that the threads of a backend share, from the address `BASE`: backends that share a memory have one
 *  block of such words each. Each word that changes while threads wait has its own cache line. */
export const OFFSET = {
  done: 0,
  /** Incremented by every job; idle workers wait on it. */
  signal: 0x80,
  sleepers: 0x100,
  /** 1 while the main thread waits on `done`. */
  mainIsWaiting: 0x180,
  /** 1 once a worker has failed. */
  failed: 0x200,
  /** 1 once the workers should exit. */
  closed: 0x280,
  kernel: 0x300,
  tasks: 0x304,
  threads: 0x308,
  /** One of MAX_SPINS. */
  maxSpins: 0x320,
  /** Written to, but never read. */
  discard: 0x340,
  args: 0x380,
  /** The ticket of each thread. */
  tickets: 0x800,
} as const;
/** Bytes from one ticket to the next: a cache line. */
export const TICKET_BYTES = 64;
export const MAX_TASKS = 0xf0000;

/** Iterations, of about a nanosecond each, for which an idle thread spins before it sleeps. The limit covers the time
 *  between two jobs, because waking a sleeping thread may take longer than a job. With more threads than cores a spinning
 *  thread takes time from the others, so it sleeps sooner. (Threads sleep in JavaScript: memory.atomic.wait32, as compiled
 *  by the baseline compiler of Node 20, sometimes missed its timeout.) */
export const MAX_SPINS = { coreEach: 200_000, oversubscribed: 2_000 } as const;

const nextOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(ticket), 0xfffff);
const endOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(i64.shr_u(ticket, 20n)), 0xfffff);

/** The address of a thread's ticket. */
function ticketOf(f: FunctionBuilder, thread: Local<'i32'>): Local<'i32'> {
  return f.local('i32', i32.add(i32.add(BASE, OFFSET.tickets), i32.mul(thread, TICKET_BYTES)));
}

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
          f.do(callIndirect(kernelType, kernel, task, i32.add(BASE, OFFSET.args), 0));
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
    const threads = f.local('i32', i32.load(BASE, OFFSET.threads));
    const share = f.local('i32', thread);
    loop(f, 0, threads, () => {
      const address = ticketOf(f, share);
      const ticket = f.local('i64', atomic.load_i64(address));
      f.while(i32.lt_u(nextOf(ticket), endOf(ticket)), () => {
        f.set(ticket, atomic.add_i64(address, 1n));
        const task = f.local('i32', nextOf(ticket));
        f.if(i32.lt_u(task, endOf(ticket)), () => {
          f.do(callIndirect(kernelType, i32.load(BASE, OFFSET.kernel), task, i32.add(BASE, OFFSET.args), thread));
          const before = f.local('i32', atomic.add_i32(BASE, 1, OFFSET.done));
          const isLast = i32.eq(i32.add(before, 1), i32.load(BASE, OFFSET.tasks));
          f.if(i32.and(isLast, atomic.load_i32(BASE, OFFSET.mainIsWaiting)), () =>
            f.do(drop(atomic.notify(BASE, 1, OFFSET.done))),
          );
          f.set(ticket, atomic.load_i64(address));
        });
      });
      f.set(share, i32.rem_u(i32.add(share, 1), threads));
    });
  });

  module.function(
    ['i32', 'i32', 'i32'],
    (f, kernel, tasks, job) => {
      f.do(i32.store(BASE, kernel, OFFSET.kernel));
      f.do(atomic.store_i32(BASE, 0, OFFSET.done));
      f.do(i32.store(BASE, tasks, OFFSET.tasks));
      const threads = f.local('i32', i32.load(BASE, OFFSET.threads));
      const start = f.local('i32', i32.const(0));
      loop(f, 0, threads, (share) => {
        const end = f.local('i32', i32.div_u(i32.mul(tasks, i32.add(share, 1)), threads));
        const low = i64.or(i64.shl(i64.extend_i32_u(end), 20n), i64.extend_i32_u(start));
        f.do(atomic.store_i64(ticketOf(f, share), i64.or(i64.shl(i64.extend_i32_u(job), 40n), low)));
        f.set(start, end);
      });
      f.do(drop(atomic.add_i32(BASE, 1, OFFSET.signal)));
      f.if(atomic.load_i32(BASE, OFFSET.sleepers), () => f.do(drop(atomic.notify(BASE, i32.const(-1), OFFSET.signal))));
      f.do(call(work, i32.const(0)));
      const spins = f.local('i32');
      const maxSpins = f.local('i32', i32.load(BASE, OFFSET.maxSpins));
      f.while(i32.lt_u(atomic.load_i32(BASE, OFFSET.done), tasks), () => {
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
      const maxSpins = f.local('i32', i32.load(BASE, OFFSET.maxSpins));
      f.while(i32.lt_u(spins, maxSpins), () => {
        f.set(seen, atomic.load_i32(BASE, OFFSET.signal));
        f.do(call(work, thread));
        f.set(spins, i32.const(0));
        f.while(i32.and(i32.lt_u(spins, maxSpins), i32.eq(atomic.load_i32(BASE, OFFSET.signal), seen)), () =>
          f.set(spins, i32.add(spins, 1)),
        );
      });
      f.return(seen);
    },
    { name: 'serve', result: 'i32' },
  );
}
