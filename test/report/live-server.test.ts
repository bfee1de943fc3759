import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveServer } from '../../src/report/live-server.ts';
import type { RunReport } from '../../src/report/report-data.ts';
import { sketchedRun } from '../support/report.ts';

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

/** A client of the events, and all that it was told so far. */
async function listenTo(port: number) {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const events = () => Array.from(text.matchAll(/^data: (.*)$/gm), ([, json]) => JSON.parse(json) as RunReport);
  await until(() => events().length > 0);
  return { events, socket };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
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
    for (const { events } of clients) expect(events()).toEqual([REPORT]);
    for (const name of ['one', 'two']) server.show(() => named(name), 0);
    server.show(() => named('last'), 0);
    await server.close();
    for (const { events, socket } of clients) {
      if (!socket.destroyed) await once(socket, 'close');
      expect(
        events()
          .map(({ name }) => name)
          .at(-1),
      ).toBe('last');
    }
  });

  it('come together where they come too fast, and none is late', async () => {
    const server = await serve(REPORT);
    const { events } = await listenTo(server.port);
    server.show(() => named('first'), 0);
    for (let i = 0; i < 50; i++) server.show(() => named(`step ${i}`), 60_000);
    await until(() => events().at(-1)!.name === 'first');
    // More urgent than the one that waits for its minute.
    server.show(() => named('epoch'), 50);
    await until(() => events().at(-1)!.name === 'epoch');
    expect(events().map(({ name }) => name)).toEqual([REPORT.name, 'first', 'epoch']);
  });

  it('do not pile up for a client that does not read them', async () => {
    const server = await serve(REPORT);
    const { events } = await listenTo(server.port);
    const { socket: idle }: { socket: Socket } = await listenTo(server.port);
    idle.pause();
    const filler = 'x'.repeat(1e6);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 150; i++) {
      server.show(() => ({ ...named(`event ${i}`), dataset: { ...REPORT.dataset, source: filler } }), 0);
      if (i % 10 === 0) await until(() => events().at(-1)!.name === `event ${i}`);
    }
    // Without a limit it would be 150 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(75e6);
  });
});
