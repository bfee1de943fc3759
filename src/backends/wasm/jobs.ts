import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.ts';
import { atomic, call, callIndirect, drop, i32, i64 } from './instructions.ts';

// Fork and join, inside WebAssembly. A job is a kernel and a number of tasks. All threads, the main one among them, claim
// tasks from one word, the ticket, which holds the job's number, its tasks and the next of them:
//
//     ticket = job << 40 | tasks << 20 | next
//
// One atomic addition claims a task, so a thread that is late finds nothing to claim, or a task of the job that is under
// way by then. A job is over when all of its tasks are done; nobody waits for a thread that has claimed none.

/** Addresses of the words that the threads share, each in a cache line of its own. */
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
  /** What nobody reads. */
  scrap: 0x7c0,
  args: 0x800,
} as const;
/** The first address that is free for other purposes. */
export const FIRST_FREE = 0x1000;
export const MAX_TASKS = 0xf0000;

/** What `run` returns. */
export const OUTCOME = { done: 0, stalled: 1, failed: 2 } as const;

/** Turns of an idle thread before it sleeps; some 20 to 50 µs. */
const SPINS = 20_000;
const NAP_NS = 100_000_000n;
/** Naps during which no task gets done before the main thread gives up: 10 s awake. (Naps, so that a process that was
 *  stopped for a while is not taken for one whose worker has died.) */
const NAPS = 100;

const FOREVER = -1n;

const nextOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(ticket), 0xfffff);
const tasksOf = (ticket: Local<'i64'>) => i32.and(i32.wrap_i64(i64.shr_u(ticket, 20n)), 0xfffff);

/** Adds the exported functions `run(kernel, tasks, job)` and, where there are workers, `serve(thread)`. */
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
        f.return(i32.const(OUTCOME.done));
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
      join(f, tasks);
      f.return(i32.const(OUTCOME.done));
    },
    { name: 'run', result: 'i32' },
  );

  module.function(
    ['i32'],
    (f, thread) => {
      const seen = f.local('i32');
      const turns = f.local('i32');
      f.while(i32.eqz(atomic.load_i32(i32.const(WORD.closed))), () => {
        f.set(seen, atomic.load_i32(i32.const(WORD.signal)));
        f.do(call(work, thread));
        f.set(turns, i32.const(0));
        f.while(i32.eq(atomic.load_i32(i32.const(WORD.signal)), seen), () => {
          f.set(turns, i32.add(turns, 1));
          f.if(i32.gt_u(turns, SPINS), () => {
            f.do(drop(atomic.add_i32(i32.const(WORD.sleepers), 1)));
            f.do(drop(atomic.wait32(i32.const(WORD.signal), seen, FOREVER)));
            f.do(drop(atomic.add_i32(i32.const(WORD.sleepers), -1)));
          });
        });
      });
    },
    { name: 'serve' },
  );
}

/** Waits for the tasks that other threads have claimed; returns from the function if that is in vain. */
function join(f: FunctionBuilder, tasks: Local<'i32'>): void {
  const done = f.local('i32', atomic.load_i32(i32.const(WORD.done)));
  const before = f.local('i32', done);
  const turns = f.local('i32', i32.const(0));
  const naps = f.local('i32', i32.const(0));
  f.while(i32.lt_u(done, tasks), () => {
    f.if(atomic.load_i32(i32.const(WORD.failed)), () => f.return(i32.const(OUTCOME.failed)));
    f.set(turns, i32.add(turns, 1));
    f.if(i32.gt_u(turns, SPINS), () => {
      f.do(atomic.store_i32(i32.const(WORD.mainSleeps), 1));
      f.set(done, atomic.load_i32(i32.const(WORD.done)));
      f.if(i32.lt_u(done, tasks), () => f.do(drop(atomic.wait32(i32.const(WORD.done), done, NAP_NS))));
      f.do(atomic.store_i32(i32.const(WORD.mainSleeps), 0));
      f.set(naps, i32.add(naps, 1));
      f.if(i32.gt_u(naps, NAPS), () => f.return(i32.const(OUTCOME.stalled)));
    });
    f.set(done, atomic.load_i32(i32.const(WORD.done)));
    f.if(i32.ne(done, before), () => {
      f.set(before, done);
      f.set(naps, i32.const(0));
    });
  });
}
