import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A network between a client and a server of this machine that can be cut: nothing passes then, and nobody is told. Ended with
 *  the test. */
export class CutProxy {
  readonly port: number;
  readonly #sockets: Set<Socket>;
  readonly #cut: (isCut: boolean) => void;

  private constructor(port: number, sockets: Set<Socket>, cut: (isCut: boolean) => void) {
    this.port = port;
    this.#sockets = sockets;
    this.#cut = cut;
  }

  /** @param target the port of the server. */
  static async start(target: number): Promise<CutProxy> {
    const sockets = new Set<Socket>();
    let isCut = false;
    const server = createServer((client) => {
      const onward = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [client, onward],
        [onward, client],
      ]) {
        sockets.add(from);
        from.on('data', (data) => {
          if (!isCut) to.write(data);
        });
        from.on('error', () => {}).on('close', () => to.destroy());
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return new CutProxy((server.address() as AddressInfo).port, sockets, (value) => {
      isCut = value;
    });
  }

  cut(): void {
    this.#cut(true);
  }

  /** Lets data pass again, but not on the connections that have lost some. */
  heal(): void {
    this.#cut(false);
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}
