import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportHtml } from './html.ts';
import type { RunReport } from './report-data.ts';
import { reportDataOf } from './write.ts';

/** Nobody but programs on this machine reaches it. */
const ADDRESS = '127.0.0.1';
const MOST_CONNECTIONS = 100;
/** How long a client has to take the last event; one on a busy machine needs seconds. Only one that does not read at all
 *  has to be waited for as long. */
const FAREWELL_MS = 30_000;

const HEADERS = {
  // An idle connection would hold up the end.
  Connection: 'close',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

/** Why a request gets no page and no events. */
interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Shows a run while it trains: the page of its report at /, and at /events, as Server-Sent Events, the RunReport whenever
 *  there is news.
 *
 *  It answers only requests to 127.0.0.1 or localhost by that name. A web page that makes its own name point here (DNS
 *  rebinding) is refused. */
export class LiveServer {
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #report: (() => RunReport) | null = null;
  #sent = 0;
  #due = Infinity;
  #timer: NodeJS.Timeout | undefined;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** Listens on a port, 0 for any. @throws the error of `listen`, with its code, if the port cannot be had. */
  static async listen(port: number): Promise<LiveServer> {
    const live = new LiveServer();
    live.#server.listen(port, ADDRESS);
    await once(live.#server, 'listening');
    return live;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Where the page is. */
  get url(): string {
    return `http://${ADDRESS}:${this.port}/`;
  }

  /** Says that there is news. It goes out at once, or when the last event is `gap` milliseconds old.
   *  @param report is asked for whenever somebody is to see it. */
  show(report: () => RunReport, gap: number): void {
    this.#report = report;
    if (this.#clients.size === 0) return;
    const due = this.#sent + gap;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    const wait = due - performance.now();
    if (wait <= 0) {
      this.#send();
      return;
    }
    this.#due = due;
    this.#timer = setTimeout(() => this.#send(), wait);
  }

  /** Stops, once every client that reads has got the last event. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const client of this.#clients) client.end();
    await Promise.race([closed, sleep(FAREWELL_MS, undefined, { ref: false })]);
    this.#server.closeAllConnections();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#due = Infinity;
    this.#sent = performance.now();
    const event = eventOf(this.#report!());
    for (const client of this.#clients) client.send(event);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url?.split('?')[0] ?? '';
    const refusal = this.#refusalOf(request, path);
    const type = refusal ? 'text/plain' : path === '/' ? 'text/html' : 'text/event-stream';
    const headers = { ...HEADERS, ...refusal?.headers, 'Content-Type': `${type}; charset=utf-8` };
    response.writeHead(refusal?.status ?? 200, headers);
    if (request.method === 'HEAD') response.end();
    else if (refusal) response.end(`${refusal.text}\n`);
    else if (path === '/') response.end(reportHtml(reportDataOf([this.#report!()]), { live: true }));
    else this.#welcome(new Client(response));
  }

  #refusalOf({ headers, method = '' }: IncomingMessage, path: string): Refusal | undefined {
    if (!this.#isOwnName(headers.host))
      return { status: 403, text: `this is ${this.url} and answers to no other name` };
    if (!['GET', 'HEAD'].includes(method))
      return { status: 405, text: 'nothing can be sent here', headers: { Allow: 'GET, HEAD' } };
    if (!['/', '/events'].includes(path)) return { status: 404, text: 'there are / and /events' };
    if (!this.#report) return { status: 503, text: 'training has not begun yet', headers: { 'Retry-After': '1' } };
    return undefined;
  }

  #welcome(client: Client): void {
    this.#clients.add(client);
    client.onGone(() => this.#clients.delete(client));
    client.send(eventOf(this.#report!()));
  }

  #isOwnName(host: string | undefined): boolean {
    return [ADDRESS, 'localhost'].some(
      (name) => host === `${name}:${this.port}` || (host === name && this.port === 80),
    );
  }
}

/** A reader of events. One that does not keep up skips some: nothing waits for it but the latest one. */
class Client {
  readonly #response: ServerResponse;
  #isBehind = false;
  #isEnding = false;
  #next: Buffer | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('drain', () => this.#catchUp());
  }

  onGone(listener: () => void): void {
    this.#response.on('close', listener);
  }

  send(event: Buffer): void {
    if (this.#isBehind) this.#next = event;
    else this.#isBehind = !this.#response.write(event);
  }

  /** Ends after what was sent. */
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

function eventOf(report: RunReport): Buffer {
  return Buffer.from(`data: ${JSON.stringify(report)}\n\n`);
}
