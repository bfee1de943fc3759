import { once } from 'node:events';
import { UsageError, UserError } from '../../errors.ts';
import { LiveRun } from '../../report/live-run.ts';
import { LiveServer } from '../../report/live-server.ts';
import type { RunReport } from '../../report/report-data.ts';
import type { RunEvent } from '../../runs/train.ts';
import type { Io } from '../terminal/io.ts';
import { WATCH_PORT } from './options.ts';

/** How old the last event must be before the next one goes out: with one more step, and at the end of an epoch. */
const [STEP_GAP_MS, EPOCH_GAP_MS] = [1000, 100];
/** Where no port was chosen, so many are tried, one after the other. */
const PORTS_TRIED = 20;

/** `--watch`: shows a run in a browser while it trains. */
export class Watch {
  readonly #server: LiveServer;
  /** What to say of where the page is. */
  readonly announcement: string;
  #run: LiveRun | undefined;
  #hasEnded = false;

  private constructor(server: LiveServer, note: string) {
    this.#server = server;
    this.announcement = `watch it at ${server.url}${note}`;
  }

  /** @param choice what --watch says, true if it names no port: the first free one from the usual one on.
   *  @throws UsageError if it is no port; UserError if it cannot be had. */
  static async start(choice: string | true): Promise<Watch> {
    const { default: usual, wanted, parse } = WATCH_PORT;
    const port = parse(choice === true ? usual : choice);
    if (port === undefined) throw new UsageError(`--watch must be a port, ${wanted}, got ${choice}`);
    const server = await listen(port, choice === true ? PORTS_TRIED : 1);
    return new Watch(server, choice === true && server.port !== port ? ` (port ${port} is in use)` : '');
  }

  get url(): string {
    return this.#server.url;
  }

  async take(event: RunEvent): Promise<void> {
    if (event.type === 'run-ended') return;
    if (event.type === 'run-started') this.#run = await LiveRun.begin(event);
    else this.#run!.addEvent(event);
    this.#server.publish(() => this.report('training'), event.type === 'step' ? STEP_GAP_MS : EPOCH_GAP_MS);
  }

  /** What there is to say of the run that it watches; see LiveRun. */
  report(state: RunReport['state']): RunReport {
    return this.#run!.report(state);
  }

  /** Shows the run as it ended. */
  showEnd(report: RunReport): void {
    this.#hasEnded = true;
    this.#server.publish(() => report, 0);
  }

  /** Leaves the page there until Ctrl-C, where somebody can press that. */
  async linger(io: Io, signal: AbortSignal): Promise<void> {
    if (signal.aborted || !io.stderr.isTTY) return;
    io.stderr.write(`the page stays at ${this.url} until you press Ctrl-C\n`);
    await once(signal, 'abort');
  }

  /** Ends the page. A run that did not get to its end is shown as stopped. */
  async close(): Promise<void> {
    if (this.#run && !this.#hasEnded) this.showEnd(this.report('stopped'));
    await this.#server.close();
  }
}

/** Takes the first of some ports that can be had. */
async function listen(first: number, count: number): Promise<LiveServer> {
  for (let port = first; ; port++) {
    try {
      return await LiveServer.listen(port);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (port - first + 1 < count && port < 65535) continue;
      const where = port === first ? `port ${port}` : `any port from ${first} to ${port}`;
      const why = code === 'EADDRINUSE' ? 'another program does' : message;
      throw new UserError(`--watch cannot listen on ${where}: ${why}; name another port, such as --watch 8080`);
    }
  }
}
