import type { SingleBar } from 'cli-progress';
import type { DatasetEvent } from '../../dataset/load.ts';
import { makeBar } from '../terminal/bar.ts';
import * as format from '../terminal/format.ts';
import { type Io, ownName } from '../terminal/io.ts';

/** How often, in milliseconds, there is a line where there is no bar. */
const LINE_INTERVAL = 5_000;
/** The rate is that of the last milliseconds, so many at least. */
const RATE_WINDOW = 10_000;

/** How much there is, when. */
interface Sample {
  readonly time: number;
  readonly received: number;
}

interface ReporterOptions {
  readonly progress?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** What the user can do instead of waiting. */
  readonly hint?: string;
  /** What goes on with a download that was stopped, after the name of the program. */
  readonly command?: string;
}

/** Shows on stderr how images are fetched: a bar with bytes, rate and time left on a terminal; elsewhere a line at the
 *  start and every 5 seconds. */
export class DownloadReporter {
  readonly #io: Io;
  readonly #style: 'bar' | 'lines' | 'quiet';
  readonly #hint: string;
  readonly #command: string;
  #bar: SingleBar | undefined;
  /** The address of the source that was named last. */
  #announced: string | undefined;
  #waitedFor: string | undefined;
  #samples: Sample[] = [];
  #lastLine = 0;

  constructor(io: Io, { progress = true, quiet = false, hint = '', command = 'data download' }: ReporterOptions = {}) {
    this.#io = io;
    this.#hint = hint;
    this.#command = command;
    this.#style = quiet ? 'quiet' : progress && io.stderr.isTTY === true ? 'bar' : 'lines';
  }

  /** Does the work that tells of its events here. However it ends, no bar stays; where the signal ended it, this says
   *  what is kept. */
  async during<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const clear = () => this.#clear();
    signal?.addEventListener('abort', clear);
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted && signal.reason !== 'EPIPE') this.#tellWhatIsKept();
      throw error;
    } finally {
      signal?.removeEventListener('abort', clear);
      this.#clear();
    }
  }

  show(event: DatasetEvent): void {
    switch (event.kind) {
      case 'started':
        this.#begin(event.url, event.total);
        break;
      case 'progress':
        this.#progress(event.received, event.total);
        break;
      case 'source-failed':
        this.#leave(event.url, event.reason, event.next);
        break;
      case 'waiting':
        this.#wait(event.holder);
        break;
      case 'verifying':
        this.#note('all has come; verifying');
        break;
      case 'finished':
        this.#note(`downloaded and verified: ${event.path}`);
        break;
    }
  }

  #begin(url: string, total: number | undefined): void {
    this.#samples = [];
    this.#lastLine = performance.now();
    if (url === this.#announced) return;
    const size = total === undefined ? '' : ` (${format.megabytes(total)})`;
    this.#note(`downloading CIFAR-10${size} from ${url}`);
    if (this.#hint && this.#announced === undefined) this.#note(this.#hint);
    this.#announced = url;
  }

  /** Where nothing follows, the error says all. */
  #leave(url: string, why: string, next: string | undefined): void {
    if (next === undefined) return;
    this.#note(`left ${url}: ${why};\ngoing on with ${next}`);
    this.#announced = next;
  }

  #wait(whom: string): void {
    if (whom === this.#waitedFor && this.#style !== 'lines') return;
    this.#waitedFor = whom;
    this.#note(`waiting for ${whom}, which downloads to the same place`);
  }

  #clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #tellWhatIsKept(): void {
    const received = this.#samples.at(-1)?.received ?? 0;
    if (received === 0) return;
    this.#note(`stopped; ${format.megabytes(received)} are kept; ${ownName(this.#io.env)} ${this.#command} goes on`);
  }

  /** A line of its own, above the bar that comes next. */
  #note(text: string): void {
    this.#clear();
    this.#io.stderr.write(`${text}\n`);
  }

  #progress(received: number, total: number | undefined): void {
    if (this.#samples.length === 0 && received > 0)
      this.#note(`going on after the first ${format.megabytes(received)}`);
    const rate = this.#rate(received);
    if (this.#style === 'bar') this.#draw(received, total, rate);
    if (this.#style !== 'lines' || performance.now() - this.#lastLine < LINE_INTERVAL) return;
    this.#lastLine = performance.now();
    const { got, rate: speed, left } = texts(received, total, rate);
    const of = total === undefined ? '' : ` of ${format.megabytes(total)}`;
    this.#note(`${got}${of}, ${speed}/s${left === '' ? '' : `, ${left} left`}`);
  }

  /** Bytes per second of late. A part that was there before this run counts for nothing. */
  #rate(received: number): number {
    const time = performance.now();
    this.#samples.push({ time, received });
    // One sample from before the window is kept: it is where the window begins.
    while (this.#samples.length > 2 && time - this.#samples[1].time >= RATE_WINDOW) this.#samples.shift();
    const [first] = this.#samples;
    return time > first.time ? (received - first.received) / ((time - first.time) / 1000) : 0;
  }

  #draw(received: number, total: number | undefined, bytesPerSecond: number): void {
    if (!this.#bar) {
      const amounts = total === undefined ? '{got}' : `{bar} {got} of ${format.megabytes(total)}`;
      const left = total === undefined ? '' : '  {left} left';
      this.#bar = makeBar(this.#io.stderr, `${amounts}  {rate}/s${left}`);
      this.#bar.start(total ?? received, received, texts(received, total, bytesPerSecond));
    }
    this.#bar.update(received, texts(received, total, bytesPerSecond));
  }
}

function texts(received: number, total: number | undefined, rate: number) {
  return {
    got: format.megabytes(received),
    rate: format.megabytes(rate),
    left: total === undefined || rate === 0 ? '' : format.seconds((total - received) / rate),
  };
}
