import type { Local, ModuleBuilder } from './assembler/assembler.ts';
import { atomic, call, callIndirect, drop, i32, i64 } from './assembler/instructions.ts';

// Fork and join, inside WebAssembly. A job is a kernel and a number of tasks. All threads, the main one among them, claim
// tasks from one word, the ticket, which holds the job's number, its tasks and the next of them:
//
//     ticket = job << 40 | tasks << 20 | next
//
// One atomic addition claims a task, so a thread that is late finds nothing to claim, or a task of the job that is under
// way by then. A job is over when all of its tasks are done; nobody waits for a thread that has claimed none.

/** Addresses of the words that the threads share; those that change while threads wait have cache lines of their own. */
export const WORD = {
  ticket: 0x400,
  done: 0x480,
  /** Changes with every job: what idle workers sleep on. */
  signal: 0x500,
  sleepers: 0x580,
  /** 1 while the main thread sleeps on `done`. */
  mainSleeps: 0x600,
  /** 1 once a worker has failed. */
  failed: 0x680,
  /** 1 once the workers are to leave. */
  closed: 0x700,
  kernel: 0x780,
  /** Turns before an idle thread sleeps; one of SPINS. */
  spins: 0x7a0,
  /** What nobody reads. */
  scrap: 0x7c0,
  args: 0x800,
} as const;
/** The first address that is free for other purposes. */
export const FIRST_FREE = 0x1000;
export const MAX_TASKS = 0xf0000;

/** Turns of an idle thread before it is put to sleep, about a nanosecond each: as long as the work between two jobs takes,
 *  because a sleeping thread may need longer to wake than a job lasts. With more threads than cores an idle one is in the
 *  way of the others, and sleeps soon. (The sleeping itself is done in JavaScript: compiled by Node 20's baseline compiler,
 *  memory.atomic.wait32 was seen to miss its time limit.) */
export const SPINS = { threadsOnCores: 200_000, moreThreads: 2_000 } as const;

const nextOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(ticket), 0xfffff);
const tasksOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(i64.shr_u(ticket, 20n)), 0xfffff);

/** Adds the exported functions
 *
 *  - run(kernel, tasks, job): takes part in a job, and waits a little for the others; 1 if it is done, 0 if they are at it
 *    still;
 *  - serve(thread), where there are workers: does tasks until there were none for a while; the last signal that it saw. */
export function addJobs(module: ModuleBuilder, isShared: boolean): void {
  const kernelType = module.type(['i32', 'i32', 'i32'], 'void');
  if (!isShared) {
    module.function(
      ['i32', 'i32', 'i32'],
      (f, kernel, tasks) => {
        const task = f.local('i32');
        f.while(i32.lt_u(task, tasks), () => {
          f.do(callIndirect(kernelType, kernel, task, WORD.args, 0));
          f.set(task, i32.add(task, 1));
        });
        f.return(i32.const(1));
      },
      { name: 'run', result: 'i32' },
    );
    return;
  }

  /** (thread): claims and does tasks until there are none left. */
  const work = module.function(['i32'], (f, thread) => {
    const ticket = f.local('i64', atomic.load_i64(i32.const(WORD.ticket)));
    const task = f.local('i32');
    f.while(i32.lt_u(nextOf(ticket), tasksOf(ticket)), () => {
      f.set(ticket, atomic.add_i64(i32.const(WORD.ticket), 1n));
      f.set(task, nextOf(ticket));
      f.if(i32.lt_u(task, tasksOf(ticket)), () => {
        f.do(callIndirect(kernelType, i32.load(i32.const(WORD.kernel)), task, WORD.args, thread));
        const before = f.local('i32', atomic.add_i32(i32.const(WORD.done), 1));
        const isLast = i32.eq(i32.add(before, 1), tasksOf(ticket));
        f.if(i32.and(isLast, atomic.load_i32(i32.const(WORD.mainSleeps))), () =>
          f.do(drop(atomic.notify(i32.const(WORD.done), 1))),
        );
        f.set(ticket, atomic.load_i64(i32.const(WORD.ticket)));
      });
    });
  });

  module.function(
    ['i32', 'i32', 'i32'],
    (f, kernel, tasks, job) => {
      f.do(i32.store(i32.const(WORD.kernel), kernel));
      f.do(atomic.store_i32(i32.const(WORD.done), 0));
      const low = i64.shl(i64.extend_i32_u(tasks), 20n);
      f.do(atomic.store_i64(i32.const(WORD.ticket), i64.or(i64.shl(i64.extend_i32_u(job), 40n), low)));
      f.do(drop(atomic.add_i32(i32.const(WORD.signal), 1)));
      f.if(atomic.load_i32(i32.const(WORD.sleepers)), () =>
        f.do(drop(atomic.notify(i32.const(WORD.signal), i32.const(-1)))),
      );
      f.do(call(work, i32.const(0)));
      const turns = f.local('i32');
      const spins = f.local('i32', i32.load(i32.const(WORD.spins)));
      f.while(i32.lt_u(atomic.load_i32(i32.const(WORD.done)), tasks), () => {
        f.set(turns, i32.add(turns, 1));
        f.if(i32.gt_u(turns, spins), () => f.return(i32.const(0)));
      });
      f.return(i32.const(1));
    },
    { name: 'run', result: 'i32' },
  );

  module.function(
    ['i32'],
    (f, thread) => {
      const seen = f.local('i32');
      const turns = f.local('i32');
      const spins = f.local('i32', i32.load(i32.const(WORD.spins)));
      f.while(i32.lt_u(turns, spins), () => {
        f.set(seen, atomic.load_i32(i32.const(WORD.signal)));
        f.do(call(work, thread));
        f.set(turns, i32.const(0));
        f.while(i32.and(i32.lt_u(turns, spins), i32.eq(atomic.load_i32(i32.const(WORD.signal)), seen)), () =>
          f.set(turns, i32.add(turns, 1)),
        );
      });
      f.return(seen);
    },
    { name: 'serve', result: 'i32' },
  );
}
