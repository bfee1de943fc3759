import { rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BATCH_FILES } from '../../../src/dataset/cifar10.ts';
import { readFolder } from '../../../src/dataset/formats/folder.ts';
import { writeBatchFiles } from '../../support/cifar10.ts';
import { temporaryFolder } from '../../support/files.ts';

/** The names of the files that are read before an error, and the error. */
async function readUntilError(folder: string): Promise<[string[], unknown]> {
  const names: string[] = [];
  try {
    for await (const { name } of readFolder(folder)) names.push(name);
  } catch (error) {
    return [names, error];
  }
  return [names, undefined];
}

test('a file that is missing or damaged is an error once its turn comes', async () => {
  const folder = writeBatchFiles(temporaryFolder());
  expect(await readUntilError(folder)).toEqual([BATCH_FILES, undefined]);
  rmSync(join(folder, BATCH_FILES[3]));
  const [names, error] = await readUntilError(folder);
  expect(names).toEqual(BATCH_FILES.slice(0, 3));
  expect(String(error)).toContain(`${join(folder, BATCH_FILES[3])}: no such file`);
  writeFileSync(join(folder, BATCH_FILES[1]), 'too short');
  expect((await readUntilError(folder))[0]).toEqual(BATCH_FILES.slice(0, 1));
});

test('a caller that stops before a file which cannot be read learns nothing of it', async () => {
  const folder = writeBatchFiles(temporaryFolder());
  rmSync(join(folder, BATCH_FILES[1]));
  for await (const { name } of readFolder(folder)) {
    expect(name).toBe(BATCH_FILES[0]);
    break;
  }
  // Asked later, answered later; a rejection that nobody handles would fail the test by then.
  await expect(stat(join(folder, BATCH_FILES[1]))).rejects.toThrow('ENOENT');
  await new Promise((resolve) => setImmediate(resolve));
});
