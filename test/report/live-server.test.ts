import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LiveServer } from '../../src/report/live-server.ts';
import type { RunReport } from '../../src/report/report-data.ts';
import { sampleRun } from '../support/report.ts';

const DAY_MS = 86_400_000;
const REPORT = sampleRun({ state: 'training', epochs: 2 });

async function serve(report?: RunReport) {
  const server = await LiveServer.listen(0);
  onTestFinished(() => server.close());
  if (report) server.publish(() => report, 0);
  return server;
}

/** Sends raw lines of HTTP and returns the response. */
async function request(port: number, ...lines: string[]) {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  let response = '';
  for await (const chunk of socket) response += chunk;
  const end = response.indexOf('\r\n\r\n');
  const [, status] = response.match(/^HTTP\/1\.1 (\d+) /)!;
  return { status: Number(status), head: response.slice(0, end).toLowerCase(), body: response.slice(end + 4) };
}

/** Connects a client to the events. Returns those received so far, and a function that waits for the event of a name. */
async function listenTo(port: number) {
  const socket = connect(port, '127.0.0.1');
  const events: RunReport[] = [];
  let rest = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith('data: ')) events.push(JSON.parse(line.slice(6)));
  });
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const until = async (name: string) => {
    while (events.at(-1)?.name !== name) await once(socket, 'data');
  };
  await until(REPORT.name);
  return { events, until, socket };
}

const named = (name: string): RunReport => ({ ...REPORT, name });

describe('the live page', () => {
  it.each(['127.0.0.1', 'localhost'])('is available under the host name %s', async (name) => {
    const { port } = await serve(REPORT);
    const { status, head } = await request(port, 'HEAD / HTTP/1.1', `Host: ${name}:${port}`);
    expect(status).toBe(200);
    for (const header of [
      'text/html',
      'cache-control: no-store',
      'x-content-type-options: nosniff',
      "frame-ancestors 'none'",
    ]) {
      expect(head).toContain(header);
    }
  });

  it.each([
    ['evil.example', '/'],
    ['evil.example', '/events'],
    ['127.0.0.1.evil.example', '/'],
    ['localhost.evil.example', '/events'],
  ])('refuses requests to the host %s (%s)', async (host, path) => {
    const { port } = await serve(REPORT);
    for (const name of [host, `${host}:${port}`]) {
      const { status, body } = await request(port, `GET ${path} HTTP/1.1`, `Host: ${name}`);
      expect(status).toBe(403);
      expect(body).not.toContain(REPORT.dataset.sha256);
    }
    expect((await request(port, `GET ${path} HTTP/1.1`, 'Host: 127.0.0.1:1')).status).toBe(403);
    expect((await request(port, `GET ${path} HTTP/1.0`)).status).toBe(403);
  });

  it('has two paths and two methods', async () => {
    const { port } = await serve(REPORT);
    const host = `Host: 127.0.0.1:${port}`;
    expect((await request(port, 'GET /page.js HTTP/1.1', host)).status).toBe(404);
    expect((await request(port, 'GET /../package.json HTTP/1.1', host)).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, head } = await request(port, `${method} / HTTP/1.1`, host);
      expect([method, status]).toEqual([method, 405]);
      expect(head).toContain('allow: get, head');
    }
  });

  it('responds with 503 while there is nothing to show', async () => {
    const { port } = await serve();
    expect((await request(port, 'GET / HTTP/1.1', `Host: 127.0.0.1:${port}`)).status).toBe(503);
  });
});

describe('training', () => {
  it('builds the page once per change, however many clients there are', async () => {
    const server = await serve();
    const report = vi.fn(() => REPORT);
    server.publish(report, 0);
    const host = `Host: 127.0.0.1:${server.port}`;
    const first = (await request(server.port, 'GET / HTTP/1.1', host)).body;
    // Steps that end within the least time between two updates.
    for (let i = 0; i < 5; i++) {
      server.publish(report, DAY_MS);
      expect((await request(server.port, 'GET / HTTP/1.1', host)).body).toBe(first);
    }
    await listenTo(server.port);
    expect(report).toHaveBeenCalledTimes(1);
    server.publish(() => named('next'), 0);
    expect((await request(server.port, 'GET / HTTP/1.1', host)).body).toContain('<title>next</title>');
  });

  it('does not notice a page that cannot be built', async () => {
    const onError = vi.fn();
    const server = await LiveServer.listen(0, onError);
    onTestFinished(() => server.close());
    const error = new Error('no page');
    const fails = () => {
      throw error;
    };
    server.publish(fails, 0);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    await once(socket.resume(), 'close');
    expect(onError).toHaveBeenCalledWith(error);
    server.publish(() => REPORT, 0);
    const { until } = await listenTo(server.port);
    server.publish(fails, 0);
    expect(onError).toHaveBeenCalledTimes(2);
    server.publish(() => named('again'), 0);
    await until('again');
  });
});

describe('the events', () => {
  it('send the current report at once, then every update, and the last one before closing', async () => {
    const server = await serve(REPORT);
    const clients = await Promise.all([listenTo(server.port), listenTo(server.port), listenTo(server.port)]);
    for (const { events } of clients) expect(events).toEqual([REPORT]);
    for (const name of ['one', 'two']) server.publish(() => named(name), 0);
    server.publish(() => named('last'), 0);
    await server.close();
    for (const { events, socket } of clients) {
      if (!socket.destroyed) await once(socket, 'close');
      expect(events.at(-1)!.name).toBe('last');
    }
  });

  it('are merged if they come too fast, without delaying urgent ones', async () => {
    const server = await serve(REPORT);
    const { events, until } = await listenTo(server.port);
    server.publish(() => named('first'), 0);
    for (let i = 0; i < 50; i++) server.publish(() => named(`step ${i}`), DAY_MS);
    await until('first');
    // More urgent than the pending one, which waits for a day.
    server.publish(() => named('epoch'), 50);
    await until('epoch');
    expect(events.map(({ name }) => name)).toEqual([REPORT.name, 'first', 'epoch']);
  });

  it('do not accumulate for a client that does not read them', async () => {
    const server = await serve(REPORT);
    const reader = await listenTo(server.port);
    const idle = await listenTo(server.port);
    idle.socket.pause();
    const filler = 'x'.repeat(1e6);
    for (let i = 0; i < 150; i++) {
      server.publish(() => ({ ...named(`event ${i}`), dataset: { ...REPORT.dataset, source: filler } }), 0);
      if (i % 10 === 9) await reader.until(`event ${i}`);
    }
    idle.socket.resume();
    await idle.until('event 149');
    // What the system buffers for a connection, and the last event. Without a limit, all 150 would accumulate.
    expect(idle.events.length).toBeLessThan(75);
  });
});
