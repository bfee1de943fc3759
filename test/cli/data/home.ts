import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type CliOptions, nnTrain } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

/** An empty home folder, without images and with its own cache. Removed at the end of the test. */
export class Home {
  readonly folder = temporaryFolder();
  readonly cached = path.join(this.folder, 'nn-train', 'cifar-10-batches-bin');

  /** Runs `nn-train data …` in this home. */
  data(args: readonly string[], options: CliOptions = {}) {
    const env = { XDG_CACHE_HOME: this.folder, HOME: this.folder, ...options.env };
    return nnTrain(['data', ...args], { cwd: this.folder, isPatient: true, ...options, env });
  }
}

/** Serves an archive on loopback until the end of the test. Resolves to its URL. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.close().closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cifar-10-binary.tar.gz`;
}
