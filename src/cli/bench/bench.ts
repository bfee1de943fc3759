import type { Backend, Precision } from '../../backends/backend.ts';
import { detectCores } from '../../backends/wasm/node/cores.ts';
import { type BackendSpeed, benchmark } from '../../bench/benchmark.ts';
import { FIELDS } from '../../config/config.ts';
import { EXIT } from '../../errors.ts';
import { describeEnvironment } from '../../runs/environment.ts';
import { type BackendFlags, openBackend } from '../inputs/backend.ts';
import { parseOption } from '../inputs/option.ts';
import { makeBar } from '../terminal/bar.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { BENCH_SECONDS } from './options.ts';
import { type BenchResults, benchLines } from './text.ts';

export interface BenchOptions extends BackendFlags {
  readonly precision?: string;
  readonly seconds?: string;
  readonly json?: true;
  readonly quiet?: true;
}

const PRECISIONS: readonly Precision[] = ['int8', 'int16', 'float32'];

/** `nn-train bench`: speed of products and training steps on this machine. Resolves to the exit code. */
export async function runBench(options: BenchOptions, io: Io): Promise<number> {
  const precisions =
    options.precision === undefined ? PRECISIONS : [parseOption('--precision', options.precision, FIELDS.precision)];
  const seconds = parseOption('--seconds', options.seconds, BENCH_SECONDS);
  const bar = options.quiet || !io.stderr.isTTY ? undefined : makeBar(io.stderr, 'measuring  {bar} {percentage} %');
  const backends: Backend[] = [];
  const work = async (signal: AbortSignal): Promise<number> => {
    try {
      // The results include the notes.
      for (const precision of precisions) {
        backends.push(await openBackend(io, { ...options, quiet: true }, precision));
      }
      bar?.start(1, 0);
      const onProgress = (done: number, total: number) => bar?.update(done / total);
      const speeds = await benchmark(backends, { seconds, signal, onProgress });
      bar?.stop();
      const results = resultsOf({ backends, speeds, seconds, options, io });
      const lines = options.json
        ? [JSON.stringify(results)]
        : benchLines(results, painter(io.stdout, io.env), textWidth(io.stdout), options.quiet);
      io.stdout.write(`${lines.join('\n')}\n`);
      return EXIT.done;
    } finally {
      for (const backend of backends) backend.close();
    }
  };
  return runUntilInterrupted(io, work, bar);
}

interface Measured {
  readonly backends: readonly Backend[];
  readonly speeds: readonly BackendSpeed[];
  readonly seconds: number;
  readonly options: BenchOptions;
  readonly io: Io;
}

function resultsOf({ backends, speeds, seconds, options, io }: Measured): BenchResults {
  const { version, node, platform, cpu } = describeEnvironment(backends[0]);
  const results = backends.map((backend, i) => {
    const threadsReason = reasonForThreads(backend, options, io.env);
    return { backend: backend.name, precision: backend.precision, ...backend.info, threadsReason, ...speeds[i] };
  });
  return { version, node, platform, cpu, seconds, results };
}

function reasonForThreads({ name, info }: Backend, flags: BenchOptions, env: NodeJS.ProcessEnv): string {
  if (name === 'reference') return 'plain loops use one thread';
  if (Number(flags.threads) === info.threads) return 'set by --threads';
  if (Number(env.NN_TRAIN_THREADS) === info.threads) return 'set by NN_TRAIN_THREADS';
  const { count, reason } = detectCores();
  return count === info.threads ? reason : 'see the note';
}
