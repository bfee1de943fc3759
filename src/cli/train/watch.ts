import { once } from 'node:events';
import { UserError } from '../../errors.ts';
import { LiveRun } from '../../report/live-run.ts';
import { LiveServer } from '../../report/live-server.ts';
import type { RunReport } from '../../report/report-data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { parseOption } from '../inputs/option.ts';
import type { Io } from '../terminal/io.ts';
import { WATCH_PORT } from './options.ts';

/** Least time between two updates of the page: after a step, and at the end of an epoch. */
const [STEP_GAP_MS, EPOCH_GAP_MS] = [1000, 100];
/** Number of ports to try if none was chosen. */
const MAX_PORTS = 20;

/** `--watch`: serves a page that shows a run while it trains. */
export class Watch {
  readonly #server: LiveServer;
  /** Message with the URL of the page. */
  readonly announcement: string;
  #run: LiveRun | undefined;
  #hasEnded = false;

  private constructor(server: LiveServer, note: string) {
    this.#server = server;
    this.announcement = `watch it at ${server.url}${note}`;
  }

  /** @param choice the port, or true for the first free one from the default upwards.
   *  @param onError called if the page fails later.
   *  @throws UsageError if it is not a port; UserError if the port is taken. */
  static async start(choice: string | true, onError?: (error: Error) => void): Promise<Watch> {
    const isDefault = choice === true;
    const port = parseOption('--watch', isDefault ? undefined : choice, WATCH_PORT);
    const server = await listen(port, isDefault ? MAX_PORTS : 1, onError);
    return new Watch(server, isDefault && server.port !== port ? ` (port ${port} is in use)` : '');
  }

  get url(): string {
    return this.#server.url;
  }

  async take(event: RunEvent): Promise<void> {
    if (event.type === 'run-ended' || event.type === 'run-stopped') return;
    if (event.type === 'run-started') this.#run = await LiveRun.begin(event);
    else this.#run!.addEvent(event);
    this.#server.publish(() => this.report('training'), event.type === 'step' ? STEP_GAP_MS : EPOCH_GAP_MS);
  }

  /** The current report of the run; see LiveRun. */
  report(state: RunReport['state']): RunReport {
    return this.#run!.report(state);
  }

  /** Shows the final report. */
  showEnd(report: RunReport): void {
    this.#hasEnded = true;
    this.#server.publish(() => report, 0);
  }

  /** Serves the page until Ctrl-C; does nothing without a terminal. */
  async keepServing(io: Io, signal: AbortSignal): Promise<void> {
    if (signal.aborted || !io.stderr.isTTY) return;
    io.stderr.write(`serving the page at ${this.url} until you press Ctrl-C\n`);
    await once(signal, 'abort');
  }

  /** Stops the server. A run that did not finish is shown as stopped. */
  async close(): Promise<void> {
    if (this.#run && !this.#hasEnded) this.showEnd(this.report('stopped'));
    await this.#server.close();
  }
}

/** Listens on the first free port of a range. */
async function listen(first: number, count: number, onError?: (error: Error) => void): Promise<LiveServer> {
  for (let port = first; ; port++) {
    try {
      return await LiveServer.listen(port, onError);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (port - first + 1 < count && port < 65535) continue;
      const where = port === first ? `port ${port}` : `any port from ${first} to ${port}`;
      const reason = code === 'EADDRINUSE' ? 'the port is in use' : message;
      throw new UserError(`--watch cannot listen on ${where}: ${reason}; choose another port, such as --watch 8080`);
    }
  }
}
