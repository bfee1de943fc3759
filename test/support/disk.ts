import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

/** Sets `process.platform` until the end of the test. */
export function onPlatform(platform: NodeJS.Platform): void {
  replace(process, 'platform', platform);
}

/** Makes every sync of a folder fail, as Windows (EPERM) and shared folders (EINVAL) do, until the end of the test. */
export async function refuseFolderSync(code: string): Promise<void> {
  const handle = await fs.promises.open('.', 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  replace(prototype, 'sync', async function (this: fs.promises.FileHandle) {
    if ((await this.stat()).isDirectory()) throw systemError(code, 'fsync');
    return sync.call(this);
  });
}

/** Replaces a function of node:fs/promises until the end of the test. */
export function replaceCall<K extends keyof typeof fs.promises>(name: K, call: (typeof fs.promises)[K]): void {
  // Called last: the callbacks run in reverse.
  onTestFinished(syncBuiltinESMExports);
  replace(fs.promises, name, call);
  syncBuiltinESMExports();
}

/** An error as Node's file system throws it. */
export function systemError(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: as in the test, ${syscall} '/a/b'`), { code, syscall });
}

function replace(owner: object, name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(owner, name)!;
  Object.defineProperty(owner, name, { ...before, value });
  onTestFinished(() => {
    Object.defineProperty(owner, name, before);
  });
}
