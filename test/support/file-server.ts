import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Misbehaviour of the server in one response to a GET. */
export interface Fault {
  /** Closes the connection after this many bytes. */
  readonly cutAfter?: number;
  /** Goes silent after this many bytes. */
  readonly stallAfter?: number;
  readonly ignoresRange?: boolean;
  /** Omits the length and the ETag. */
  readonly omitsHeaders?: boolean;
  /** Replaces the response. */
  readonly answer?: RequestListener;
}

/** As long as a timer can be set: 24 days. */
const NEVER_MS = 2 ** 31 - 1;
/** Limits that no server reaches, however busy the machine is. */
export const NO_LIMITS = {
  connectTimeout: NEVER_MS,
  idleTimeout: NEVER_MS,
  rateWindow: NEVER_MS,
  retryDelay: 1,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

const PIECE_BYTES = 8192;
/** Bytes that may be sent before the client has received them. */
const MAX_BYTES_IN_FLIGHT = 4 * PIECE_BYTES;

/** Serves one file on loopback with support for HEAD, Range and If-Range. Closed at the end of the test. */
export class FileServer {
  content: Buffer;
  etag = '"first"';
  /** Fault of a response. @param n number of earlier GETs. */
  fault: (n: number) => Fault = () => ({});
  /** Request headers of each GET. */
  readonly gets: IncomingHttpHeaders[] = [];
  /** Bytes sent in all responses. */
  sent = 0;
  /** Whether the client has stored the bytes before a position. The server waits for that, because fetch drops buffered
   *  bytes when a connection breaks, and how many depends on the load of the machine. */
  arrived: (position: number) => boolean = () => true;
  /** Called after each piece. @param body bytes of this response sent so far. */
  onSent: (body: number) => void = () => {};
  url = '';
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(content: Buffer) {
    this.content = content;
  }

  static async start(content: Buffer, path = 'file.tar.gz'): Promise<FileServer> {
    const server = new FileServer(content);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}/${path}`;
    onTestFinished(() => {
      server.#server.close().closeAllConnections();
    });
    return server;
  }

  #answer(...[request, response]: Parameters<RequestListener>): void {
    if (request.method === 'HEAD') {
      response.writeHead(200).end();
      return;
    }
    const fault = this.fault(this.gets.push(request.headers) - 1);
    if (fault.answer) fault.answer(request, response);
    else void this.#send(request.headers, response, fault);
  }

  async #send({ range, 'if-range': ifRange }: IncomingHttpHeaders, response: ServerResponse, fault: Fault) {
    const { content, etag } = this;
    const first = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const isRest = first > 0 && !fault.ignoresRange && (ifRange === undefined || ifRange === etag);
    if (isRest && first >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const body = isRest ? content.subarray(first) : content;
    const span = isRest ? { 'content-range': `bytes ${first}-${content.length - 1}/${content.length}` } : {};
    const version = fault.omitsHeaders ? {} : { etag, 'content-length': body.length };
    response.writeHead(isRest ? 206 : 200, { ...span, ...version });
    await this.#sendBody(body, content.length - body.length, response, fault);
  }

  async #sendBody(body: Buffer, first: number, response: ServerResponse, fault: Fault) {
    const { cutAfter, stallAfter } = fault;
    const end = Math.min(cutAfter ?? body.length, stallAfter ?? body.length, body.length);
    for (let at = 0; at < end && !response.destroyed; ) {
      const piece = body.subarray(at, Math.min(at + PIECE_BYTES, end));
      await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      at += piece.length;
      this.sent += piece.length;
      this.onSent(at);
      if (at < end) await this.#until(response, first + at - MAX_BYTES_IN_FLIGHT);
    }
    if (cutAfter !== undefined && cutAfter < body.length) {
      await this.#until(response, first + end);
      response.destroy();
    } else if (end === body.length) response.end();
  }

  async #until(response: ServerResponse, position: number): Promise<void> {
    while (!response.destroyed && !this.arrived(position)) await sleep(1);
  }
}

/** Whether a file has at least this many bytes. */
export function hasBytes(path: string, bytes: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
