import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportHtml } from './html.ts';
import type { RunReport } from './report-data.ts';
import { reportDataOf } from './write.ts';

/** Only programs on this machine can connect. */
const ADDRESS = '127.0.0.1';
const MAX_CONNECTIONS = 100;
/** How long `close` waits for clients to receive the last event. On a busy machine this takes seconds; only a client that
 *  does not read at all uses up the whole time. */
const CLOSE_TIMEOUT_MS = 30_000;

const HEADERS = {
  // An idle connection would delay closing the server.
  Connection: 'close',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

/** Response to a request that gets neither the page nor the events. */
interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What clients get between two changes, built once for all of them. */
interface Snapshot {
  readonly report: RunReport;
  readonly event: Buffer;
  page?: Buffer;
}

/** HTTP server that shows a run during training: the report page at /, and its updates at /events, as Server-Sent Events
 *  that each contain a complete RunReport.
 *
 *  It refuses a request whose Host header is not 127.0.0.1 or localhost. This protects against DNS rebinding, where a web
 *  page points its own host name to this server. */
export class LiveServer {
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  readonly #onError: (error: Error) => void;
  #report: (() => RunReport) | null = null;
  #snapshot: Snapshot | undefined;
  #builtAt = -Infinity;
  /** When the snapshot is too old. */
  #dueAt = Infinity;
  #timer: NodeJS.Timeout | undefined;

  private constructor(onError: (error: Error) => void) {
    this.#onError = onError;
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Listens on a port; 0 picks a free one.
   *  @param onError called if a connection cannot be accepted, or a page cannot be built; the server goes on.
   *  @throws the system error, with its code, if the port is not available. */
  static async listen(port: number, onError: (error: Error) => void = () => {}): Promise<LiveServer> {
    const live = new LiveServer(onError);
    live.#server.listen(port, ADDRESS);
    await once(live.#server, 'listening');
    live.#server.on('error', onError);
    return live;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Address of the page. */
  get url(): string {
    return `http://${ADDRESS}:${this.port}/`;
  }

  /** Announces a new report. Clients get it at once or, if the last one was built less than `minInterval` milliseconds
   *  ago, after that interval.
   *  @param report called when a client needs the report. */
  publish(report: () => RunReport, minInterval: number): void {
    this.#report = report;
    const dueAt = this.#builtAt + minInterval;
    if (dueAt < this.#dueAt) {
      this.#dueAt = dueAt;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#clients.size === 0 || this.#timer) return;
    const wait = this.#dueAt - performance.now();
    const renew = () => {
      // A timer may be a little early.
      this.#dueAt = -Infinity;
      this.#attempt(() => this.#current());
    };
    if (wait <= 0) renew();
    else this.#timer = setTimeout(renew, wait);
  }

  /** Closes the server once every client that keeps reading has received the last event. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const client of this.#clients) client.end();
    await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    this.#server.closeAllConnections();
  }

  /** The snapshot. If it is too old, builds another and sends it to the clients. */
  #current(): Snapshot {
    if (this.#snapshot && performance.now() < this.#dueAt) return this.#snapshot;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Infinity;
    this.#builtAt = performance.now();
    const report = this.#report!();
    this.#snapshot = { report, event: Buffer.from(`data: ${JSON.stringify(report)}\n\n`) };
    for (const client of this.#clients) client.send(this.#snapshot.event);
    return this.#snapshot;
  }

  #page(): Buffer {
    const snapshot = this.#current();
    snapshot.page ??= Buffer.from(reportHtml(reportDataOf([snapshot.report]), { live: true }));
    return snapshot.page;
  }

  /** Training runs on the same thread: an error must not reach it. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.#attempt(() => {
      try {
        this.#respond(request, response);
      } catch (error) {
        response.destroy();
        throw error;
      }
    });
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url?.split('?')[0] ?? '';
    const refusal = this.#refusalOf(request, path);
    const type = refusal ? 'text/plain' : path === '/' ? 'text/html' : 'text/event-stream';
    const headers = { ...HEADERS, ...refusal?.headers, 'Content-Type': `${type}; charset=utf-8` };
    response.writeHead(refusal?.status ?? 200, headers);
    if (request.method === 'HEAD') response.end();
    else if (refusal) response.end(`${refusal.text}\n`);
    else if (path === '/') response.end(this.#page());
    else this.#subscribe(new Client(response));
  }

  #refusalOf({ headers, method = '' }: IncomingMessage, path: string): Refusal | undefined {
    if (!this.#isAllowedHost(headers.host))
      return { status: 403, text: `host name refused; this page is only available at ${this.url}` };
    if (!['GET', 'HEAD'].includes(method))
      return { status: 405, text: `method ${method} is not allowed; use GET or HEAD`, headers: { Allow: 'GET, HEAD' } };
    if (!['/', '/events'].includes(path)) return { status: 404, text: 'not found; available paths are / and /events' };
    if (!this.#report)
      return {
        status: 503,
        text: 'training has not started yet; try again in a second',
        headers: { 'Retry-After': '1' },
      };
    return undefined;
  }

  #subscribe(client: Client): void {
    client.send(this.#current().event);
    this.#clients.add(client);
    client.onClose(() => this.#clients.delete(client));
  }

  #isAllowedHost(host: string | undefined): boolean {
    return [ADDRESS, 'localhost'].some(
      (name) => host === `${name}:${this.port}` || (host === name && this.port === 80),
    );
  }
}

/** Client that reads events. If it falls behind, it skips all but the latest one, so that memory use is bounded. */
class Client {
  readonly #response: ServerResponse;
  #isBehind = false;
  #isEnding = false;
  #next: Buffer | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('drain', () => this.#catchUp());
  }

  onClose(listener: () => void): void {
    this.#response.on('close', listener);
  }

  send(event: Buffer): void {
    if (this.#isBehind) this.#next = event;
    else this.#isBehind = !this.#response.write(event);
  }

  /** Closes the connection after everything sent so far. */
  end(): void {
    this.#isEnding = true;
    if (!this.#next) this.#response.end();
  }

  #catchUp(): void {
    this.#isBehind = false;
    const next = this.#next;
    this.#next = undefined;
    if (next) this.send(next);
    if (this.#isEnding) this.#response.end();
  }
}
