import { execFileSync } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileErrorReason } from '../src/files.ts';
import { readRegularFile, readStart, readToEnd } from '../src/read-file.ts';
import { temporaryFolder } from './support/files.ts';

const reasonOf = (reading: Promise<unknown>) =>
  reading.then(
    (value) => `read ${value}`,
    (error) => fileErrorReason(error),
  );

// Windows keeps pipes and devices elsewhere.
describe.skipIf(process.platform === 'win32')('anything but a regular file', () => {
  it('is refused by what it is, without waiting for it', async () => {
    const folder = temporaryFolder();
    const [pipe, socket] = [join(folder, 'pipe'), join(folder, 'socket')];
    execFileSync('mkfifo', [pipe]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    for (const [path, kind] of [
      [pipe, 'a named pipe'],
      [socket, 'a socket'],
      ['/dev/zero', 'a device'],
      [folder, 'a folder'],
    ]) {
      expect(await reasonOf(readRegularFile(path, 100))).toBe(`it is ${kind}, wanted a regular file`);
      expect(await reasonOf(readStart(path, 4))).toBe(`it is ${kind}, wanted a regular file`);
    }
    server.close();
  });

  it('may be read to its end where that makes sense, up to a limit', async () => {
    const pipe = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reading = readToEnd(pipe, 5);
    createWriteStream(pipe).end('hello');
    expect(String(await reading)).toBe('hello');
    expect(await reasonOf(readToEnd('/dev/zero', 1_000_000))).toBe(
      'it has more than 1,000,000 bytes, wanted at most 1,000,000',
    );
  });
});

it('reads no more of a file than its limit', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, 'hello');
  expect(String(await readRegularFile(file, 5))).toBe('hello');
  expect(String(Buffer.from(await readStart(file, 3)))).toBe('hel');
  expect(String(Buffer.from(await readStart(file, 512)))).toBe('hello');
  expect(await reasonOf(readRegularFile(file, 4))).toBe('it has 5 bytes, wanted at most 4');
});
