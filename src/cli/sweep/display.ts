import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { FailedLine, ResultLine } from '../../sweep/journal/lines.ts';
import { metricOf } from '../../sweep/plan/definition.ts';
import type { Job } from '../../sweep/plan/job.ts';
import { rankingOf } from '../../sweep/plan/ranking.ts';
import { sweptValues } from '../../sweep/plan/swept-values.ts';
import { workloadOf } from '../../sweep/plan/workload.ts';
import type { SeenWorker } from '../../sweep/queue/protocol.ts';
import type { Sweep, SweepEvent } from '../../sweep/sweep.ts';
import { isNarrow } from '../terminal/bar.ts';
import * as format from '../terminal/format.ts';
import { type Io, printNote, rawStream } from '../terminal/io.ts';
import type { SweepOptions } from './options.ts';
import { metricText, valuesText } from './text.ts';

/** Time between two updates: ranking takes a while in a large sweep, and the trials of a queue may end in hundreds a second. */
const REFRESH_MS = 100;
/** Leaders that the live table shows. */
const LEADERS = 3;
/** Lines for what runs. */
const MAX_LINES = 8;

/** Shows a sweep at work: on a terminal, what leads and what runs, and one bar with the time left; without one, a line for each
 *  training that ends. */
export class SweepDisplay {
  readonly #io: Io;
  readonly #options: SweepOptions;
  #sweep: Sweep | undefined;
  #live: LiveTable | undefined;

  constructor(io: Io, options: SweepOptions) {
    this.#io = io;
    this.#options = options;
  }

  begin(sweep: Sweep, by: { readonly workers: number } | { readonly queue: string }): void {
    this.#sweep = sweep;
    const { quiet, json, progress } = this.#options;
    if (quiet) return;
    const out = json ? this.#io.stderr : this.#io.stdout;
    const { method, trials, rungs } = sweep.state.plan.definition;
    const earlier = rungs.length > 1 ? `, compared after ${rungs.slice(0, -1).join(' and ')}` : '';
    const epochs = `${format.plural(rungs.at(-1)!, 'epoch')}${earlier}`;
    const count = Math.min(trials, sweep.state.plan.total);
    out.write(
      `${sweep.folder}: ${format.plural(count, 'trial')} by ${method}, ${epochs}; ${'queue' in by ? `workers of the queue ${by.queue}` : format.plural(by.workers, 'worker')}\n`,
    );
    if (progress && this.#io.stderr.isTTY) {
      this.#live = new LiveTable(this.#io, sweep, 'queue' in by ? undefined : by.workers);
    }
  }

  readonly progress = (job: Job, epochs: number): void => {
    this.#live?.progress(job, epochs);
  };

  /** Shows the workers of a queue. */
  readonly workers = (workers: readonly SeenWorker[]): void => {
    this.#live?.showWorkers(workers);
  };

  /** Prints a note above the live table. */
  readonly note = (text: string): void => {
    if (this.#live) this.#live.note(`note: ${text}`);
    else printNote(this.#io, text);
  };

  readonly take = (event: SweepEvent): void => {
    if (event.type === 'job-started') this.#live?.start(event.job);
    if (event.type !== 'job-ended') return;
    this.#live?.end(event.job);
    if (this.#live || this.#options.quiet) return;
    const out = this.#options.json ? this.#io.stderr : this.#io.stdout;
    out.write(`${this.#lineOf(event.job, event.line)}\n`);
  };

  /** Removes the live table. */
  close(): void {
    this.#live?.close();
    this.#live = undefined;
  }

  #lineOf({ trial, seed, config }: Job, line: ResultLine | FailedLine): string {
    const { plan } = this.#sweep!.state;
    const { metric } = plan.definition;
    const isFirst = seed === plan.trials[trial].config.seed;
    const name = `trial ${trial}${isFirst ? '' : `, seed ${seed}`}`;
    const values = valuesText(sweptValues(plan, plan.trials[trial]));
    if (line.type === 'failed') return `${name}: failed, attempt ${line.attempt}: ${line.error.split('\n')[0]}`;
    if (line.status === 'diverged') return `${name}: diverged in epoch ${line.epochs + 1}; ${values}`;
    const epochs = `epoch ${line.epochs}/${config.epochs}`;
    const score = metricText(metric, metricOf(metric, line.validation));
    return `${name}: ${epochs}, ${score}; ${values}; ${format.seconds(line.seconds)}`;
  }
}

/** Lines of a terminal that are redrawn in place. */
class LiveTable {
  readonly #bars: MultiBar;
  readonly #sweep: Sweep;
  readonly #total: SingleBar;
  readonly #leaders: readonly SingleBar[];
  readonly #runningLines: readonly SingleBar[];
  readonly #running = new Map<Job, number>();
  readonly #startedAt = performance.now();
  readonly #doneBefore: number;
  readonly #width: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #hasQueue: boolean;

  /** @param workers of this process; undefined for those of a queue, whose lines show them instead of the trials. */
  constructor({ stderr }: Io, sweep: Sweep, workers: number | undefined) {
    this.#sweep = sweep;
    this.#width = stderr.columns ?? 80;
    this.#bars = new MultiBar(
      {
        stream: rawStream(stderr),
        barsize: isNarrow(stderr) ? 8 : 24,
        fps: 10,
        hideCursor: true,
        clearOnComplete: true,
        gracefulExit: false,
        linewrap: null,
        emptyOnZero: true,
      },
      Presets.rect,
    );
    const line = () => this.#bars.create(1, 0, { text: '' }, { format: '{text}' });
    this.#leaders = Array.from({ length: LEADERS }, line);
    this.#hasQueue = workers === undefined;
    this.#runningLines = Array.from({ length: Math.min(workers ?? MAX_LINES, MAX_LINES) }, line);
    const { done, total } = workloadOf(sweep.state.plan);
    this.#doneBefore = done;
    this.#total = this.#bars.create(total, done, { left: '' }, { format: '{bar} {trials} trials, {left}' });
    this.#refresh();
  }

  start(job: Job): void {
    this.#running.set(job, 0);
    this.#refreshSoon();
  }

  progress(job: Job, epochs: number): void {
    const found = [...this.#running.keys()].find(
      (one) => one.trial === job.trial && one.rung === job.rung && one.seed === job.seed,
    );
    if (found) this.#running.set(found, epochs);
    this.#refreshSoon();
  }

  end(job: Job): void {
    this.#running.delete(job);
    this.#refreshSoon();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#bars.stop();
  }

  note(text: string): void {
    this.#bars.log(`${text}\n`);
    this.#bars.update();
  }

  /** A line for each worker: what it trains, how fast, and when it was last seen if that is a while ago. */
  showWorkers(workers: readonly SeenWorker[]): void {
    const shown = workers.length > MAX_LINES ? workers.slice(0, MAX_LINES - 1) : workers;
    const lines = shown.map(({ worker, running, speed, lastSeen }) => {
      const trials = running.map(({ job, epochs }) => `trial ${job.split('-')[0]} (epoch ${epochs.toFixed(1)})`);
      const seen = lastSeen > 3 ? `; last seen ${lastSeen.toFixed(0)} s ago` : '';
      return `${worker}: ${trials.join(', ') || 'waits'}; ${format.integer(speed)} images/s${seen}`;
    });
    if (workers.length === 0) lines.push('no worker yet; start some with nn-train worker');
    if (workers.length > shown.length) lines.push(`… and ${workers.length - shown.length} more workers`);
    for (const [i, line] of this.#runningLines.entries()) this.#show(line, lines[i] ?? '');
  }

  #refreshSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#refresh();
    }, REFRESH_MS);
  }

  #refresh(): void {
    const { plan } = this.#sweep.state;
    const ranking = rankingOf(plan).filter(({ mean }) => mean !== null);
    for (const [i, line] of this.#leaders.entries()) {
      const ranked = ranking[i];
      if (!ranked) continue;
      const score = metricText(plan.definition.metric, ranked.mean!);
      const values = valuesText(sweptValues(plan, plan.trials[ranked.trial]));
      this.#show(line, `${i === 0 ? 'best' : '    '}  trial ${ranked.trial}: ${score}; ${values}`);
    }
    const running = [...this.#running];
    for (const [i, line] of this.#hasQueue ? [] : this.#runningLines.entries()) {
      const [job, epochs] = running[i] ?? [];
      const values = job && valuesText(sweptValues(plan, plan.trials[job.trial]));
      this.#show(line, job ? `runs  trial ${job.trial}: epoch ${epochs!.toFixed(1)} of ${job.epochs}; ${values}` : '');
    }
    const { done, total } = workloadOf(plan);
    const current = running.reduce(
      (sum, [job, epochs]) => sum + Math.max(0, epochs - (job.passed.at(-1)?.epochs ?? 0)),
      0,
    );
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const pace = (done + current - this.#doneBefore) / seconds;
    const left = pace > 0 ? `about ${format.timeLeft((total - done - current) / pace)} left` : 'starting';
    this.#total.setTotal(total);
    this.#total.update(Math.min(total, done + current), { left, trials: `${ranking.length}/${plan.total}` });
  }

  #show(line: SingleBar, text: string): void {
    line.update(0, { text: text.length > this.#width ? `${text.slice(0, this.#width - 1)}…` : text });
  }
}
