import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveServer } from '../../src/report/live-server.ts';
import type { RunReport } from '../../src/report/report-data.ts';
import { sketchedRun } from '../support/report.ts';

const DAY_MS = 86_400_000;
const REPORT = sketchedRun({ state: 'training', epochs: 2 });

async function serve(report?: RunReport) {
  const server = await LiveServer.listen(0);
  onTestFinished(() => server.close());
  if (report) server.show(() => report, 0);
  return server;
}

/** What the server answers to lines of HTTP, written as they are. */
async function ask(port: number, ...lines: string[]) {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  const end = answer.indexOf('\r\n\r\n');
  const [, status] = answer.match(/^HTTP\/1\.1 (\d+) /)!;
  return { status: Number(status), head: answer.slice(0, end).toLowerCase(), body: answer.slice(end + 4) };
}

/** A client of the events, all that it has received so far, and a wait until an event of that name has come. */
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
  it.each(['127.0.0.1', 'localhost'])('is there under the name %s, and nowhere else', async (name) => {
    const { port } = await serve(REPORT);
    const { status, head } = await ask(port, 'HEAD / HTTP/1.1', `Host: ${name}:${port}`);
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
  ])('refuses to be called %s (%s)', async (host, path) => {
    const { port } = await serve(REPORT);
    for (const name of [host, `${host}:${port}`]) {
      const { status, body } = await ask(port, `GET ${path} HTTP/1.1`, `Host: ${name}`);
      expect(status).toBe(403);
      expect(body).not.toContain(REPORT.dataset.sha256);
    }
    expect((await ask(port, `GET ${path} HTTP/1.1`, 'Host: 127.0.0.1:1')).status).toBe(403);
    expect((await ask(port, `GET ${path} HTTP/1.0`)).status).toBe(403);
  });

  it('has two addresses and two methods', async () => {
    const { port } = await serve(REPORT);
    const host = `Host: 127.0.0.1:${port}`;
    expect((await ask(port, 'GET /page.js HTTP/1.1', host)).status).toBe(404);
    expect((await ask(port, 'GET /../package.json HTTP/1.1', host)).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, head } = await ask(port, `${method} / HTTP/1.1`, host);
      expect([method, status]).toEqual([method, 405]);
      expect(head).toContain('allow: get, head');
    }
  });

  it('says so while there is nothing to show', async () => {
    const { port } = await serve();
    expect((await ask(port, 'GET / HTTP/1.1', `Host: 127.0.0.1:${port}`)).status).toBe(503);
  });
});

describe('the events', () => {
  it('bring what there is at once, then all news, and the last of it before the end', async () => {
    const server = await serve(REPORT);
    const clients = await Promise.all([listenTo(server.port), listenTo(server.port), listenTo(server.port)]);
    for (const { events } of clients) expect(events).toEqual([REPORT]);
    for (const name of ['one', 'two']) server.show(() => named(name), 0);
    server.show(() => named('last'), 0);
    await server.close();
    for (const { events, socket } of clients) {
      if (!socket.destroyed) await once(socket, 'close');
      expect(events.at(-1)!.name).toBe('last');
    }
  });

  it('come together where they come too fast, and none is late', async () => {
    const server = await serve(REPORT);
    const { events, until } = await listenTo(server.port);
    server.show(() => named('first'), 0);
    for (let i = 0; i < 50; i++) server.show(() => named(`step ${i}`), DAY_MS);
    await until('first');
    // More urgent than the one that waits for its day.
    server.show(() => named('epoch'), 50);
    await until('epoch');
    expect(events.map(({ name }) => name)).toEqual([REPORT.name, 'first', 'epoch']);
  });

  it('do not pile up for a client that does not read them', async () => {
    const server = await serve(REPORT);
    const reader = await listenTo(server.port);
    const idle = await listenTo(server.port);
    idle.socket.pause();
    const filler = 'x'.repeat(1e6);
    for (let i = 0; i < 150; i++) {
      server.show(() => ({ ...named(`event ${i}`), dataset: { ...REPORT.dataset, source: filler } }), 0);
      if (i % 10 === 9) await reader.until(`event ${i}`);
    }
    idle.socket.resume();
    await idle.until('event 149');
    // What the system keeps for a connection, and the last event; without a limit it would be all of them.
    expect(idle.events.length).toBeLessThan(75);
  });
});
