import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that a proxy received. */
export interface ProxiedRequest {
  readonly method: string | undefined;
  /** host:port for CONNECT, else the whole URL. */
  readonly target: string | undefined;
  readonly authorization: string | undefined;
}

/** Starts a forward proxy on loopback, for http and, through CONNECT, for https. Closed at the end of the test.
 *  @param status refuses every request with this status. */
export async function startProxy(status?: number): Promise<{ host: string; requests: ProxiedRequest[] }> {
  const requests: ProxiedRequest[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    requests.push({ method, target: url, authorization: headers['proxy-authorization'] });
  const server = createServer((request, response) => {
    note(request);
    if (status === undefined) forward(request, response);
    else response.writeHead(status).end();
  });
  const sockets = new Set<Socket>();
  server.on('connect', (request, socket: Socket) => {
    note(request);
    sockets.add(socket);
    if (status === undefined) tunnel(request, socket);
    else socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close().closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Starts a server on loopback that accepts connections and says nothing. @returns its host and port, and the number of
 *  its open connections. */
export async function startSilence(): Promise<{ host: string; connections: () => number }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => sockets.size };
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { method, url } = request;
  const { 'proxy-authorization': _, ...headers } = request.headers;
  const onward = httpRequest(url!, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  request.pipe(onward.on('error', () => response.destroy()));
}

function tunnel({ url }: IncomingMessage, socket: Socket): void {
  const [host, port] = url!.split(':');
  const onward = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
  onward.on('error', () => socket.destroy());
  socket.on('error', () => onward.destroy());
  socket.pipe(onward).pipe(socket);
}
