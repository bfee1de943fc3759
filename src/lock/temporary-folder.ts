import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileError, removeQuietly } from '../files.ts';
import { Lock } from './lock.ts';

/** A folder for the files of this process alone, among the system's temporary files. */
export interface TemporaryFolder {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Creates a temporary folder, and removes those that processes have left which were killed: a lock beside each of them says
 *  whether its process lives.
 *  @param prefix begins the names of all of them.
 *  @throws FileError if it cannot be created. */
export async function openTemporaryFolder(prefix: string, parent = tmpdir()): Promise<TemporaryFolder> {
  await removeStale(prefix, parent);
  try {
    const folder = await mkdtemp(path.join(parent, prefix));
    // Nobody else has this name, so nobody else has the lock.
    const lock = (await Lock.take(`${folder}${LOCK}`)) as Lock;
    const remove = async () => {
      await removeQuietly(folder);
      await lock.release();
    };
    return { folder, remove };
  } catch (error) {
    throw fileError(`cannot create a temporary folder in ${parent}`, error);
  }
}

const LOCK = '.lock';

async function removeStale(prefix: string, parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(prefix) && one.endsWith(LOCK))) {
    const file = path.join(parent, name);
    // Those of other users cannot be removed, and are left to them.
    const lock = await Lock.take(file).catch(() => undefined);
    if (!(lock instanceof Lock)) continue;
    await removeQuietly(file.slice(0, -LOCK.length));
    await lock.release();
  }
}
