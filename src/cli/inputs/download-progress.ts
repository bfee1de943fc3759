import type { SingleBar } from 'cli-progress';
import type { DatasetEvent } from '../../dataset/load.ts';
import { isNarrow, makeBar } from '../terminal/bar.ts';
import { showControls } from '../terminal/controls.ts';
import * as format from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { renderMessage } from './field-names.ts';

/** Milliseconds between two lines when no bar can be drawn. */
const LINE_INTERVAL = 5_000;
/** Milliseconds over which the rate is averaged. */
const RATE_WINDOW = 10_000;

/** Bytes received by a point in time. */
interface Sample {
  readonly time: number;
  readonly received: number;
}

interface ProgressOptions {
  readonly progress?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** Alternative to waiting for the download, in brackets. */
  readonly hint?: string;
  /** What resumes an interrupted download. */
  readonly command?: string;
}

/** Shows the progress of a download on stderr: in a terminal a bar with bytes, rate and time left, otherwise a line at the
 *  start and every 5 seconds. */
export class DownloadProgress {
  readonly #io: Io;
  readonly #style: 'bar' | 'lines' | 'quiet';
  readonly #hint: string;
  readonly #command: string;
  #bar: SingleBar | undefined;
  /** URL of the source that was announced last. */
  #announced: string | undefined;
  #waitedFor: string | undefined;
  #samples: Sample[] = [];
  #lastLine = 0;

  constructor(io: Io, options: ProgressOptions = {}) {
    const { progress = true, quiet = false, hint = '', command = `${ownName(io.env)} data download` } = options;
    this.#io = io;
    this.#hint = hint;
    this.#command = command;
    this.#style = quiet ? 'quiet' : progress && io.stderr.isTTY === true ? 'bar' : 'lines';
  }

  /** Runs the work whose events are shown, then removes the bar. If the signal aborted the work, prints how much of the
   *  download was kept. */
  async during<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const clear = () => this.#clear();
    signal?.addEventListener('abort', clear);
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) this.#printKept();
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
        this.#sourceFailed(event.url, renderMessage(event.reason, this.#io.env), event.next);
        break;
      case 'waiting':
        this.#wait(event.holder);
        break;
      case 'verifying':
        this.#note('downloaded; verifying');
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

  /** Prints nothing after the last source: the error that follows names its reason. */
  #sourceFailed(url: string, reason: string, next: string | undefined): void {
    if (next === undefined) return;
    this.#note(`${url} failed: ${reason};\ntrying ${next}`);
    this.#announced = next;
  }

  #wait(holder: string): void {
    if (holder === this.#waitedFor && this.#style !== 'lines') return;
    this.#waitedFor = holder;
    this.#note(`waiting for ${holder}, which is downloading to the same folder`);
  }

  #clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #printKept(): void {
    const received = this.#samples.at(-1)?.received ?? 0;
    if (received === 0) return;
    this.#note(`stopped; ${format.megabytes(received)} kept; resume with ${this.#command}`);
  }

  /** Prints a line, above the bar if one follows. */
  #note(text: string): void {
    this.#clear();
    this.#io.stderr.write(`${showControls(text)}\n`);
  }

  #progress(received: number, total: number | undefined): void {
    if (this.#samples.length === 0 && received > 0) this.#note(`resuming after ${format.megabytes(received)}`);
    const rate = this.#rate(received);
    if (this.#style === 'bar') this.#draw(received, total, rate);
    if (this.#style !== 'lines' || performance.now() - this.#lastLine < LINE_INTERVAL) return;
    this.#lastLine = performance.now();
    const { got, rate: speed, left } = texts(received, total, rate);
    const of = total === undefined ? '' : ` of ${format.megabytes(total)}`;
    this.#note(`${got}${of}, ${speed}/s${left === '' ? '' : `, ${left} left`}`);
  }

  /** Recent bytes per second, not counting bytes from an earlier download. */
  #rate(received: number): number {
    const time = performance.now();
    this.#samples.push({ time, received });
    // Keep one sample from before the window as its start.
    while (this.#samples.length > 2 && time - this.#samples[1].time >= RATE_WINDOW) this.#samples.shift();
    const [first] = this.#samples;
    return time > first.time ? (received - first.received) / ((time - first.time) / 1000) : 0;
  }

  #draw(received: number, total: number | undefined, bytesPerSecond: number): void {
    if (!this.#bar) {
      const amounts = total === undefined ? '{got}' : `{bar} {got} of ${format.megabytes(total)}`;
      const left = total === undefined ? '' : '  {left} left';
      this.#bar = makeBar(this.#io.stderr, `${amounts}${isNarrow(this.#io.stderr) ? '' : '  {rate}/s'}${left}`);
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
