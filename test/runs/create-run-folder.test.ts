import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError, UsageError } from '../../src/errors.ts';
import { createRunFolder } from '../../src/runs/create-run-folder.ts';
import { RunDirectory } from '../../src/runs/run-directory.ts';
import { ZERO_TIMES } from '../../src/training/progress.ts';
import { onPlatform, refuseFolderSync } from '../support/disk.ts';
import { temporaryFolder } from '../support/files.ts';

const NAMES = ['config.json', 'last.safetensors', 'metrics.jsonl', 'steps.jsonl', 'times.json'];
const START = { progress: { step: 0 }, times: ZERO_TIMES, tensors: new Map() } as never;

const create = (folder: string) => RunDirectory.create(folder, { a: 1 }, START);

describe('a run', () => {
  it.each(['EPERM', 'EINVAL'])('is saved where folders cannot be synced (%s)', async (code) => {
    const folder = path.join(temporaryFolder(), 'a/run');
    await refuseFolderSync(code);
    const run = await create(folder);
    expect(await run.config()).toEqual({ a: 1 });
  });

  it('fills an empty folder that is there, also behind a link, and keeps both', async () => {
    const parent = temporaryFolder();
    const [there, link] = [path.join(parent, 'there'), path.join(parent, 'link')];
    // As on a new disk.
    mkdirSync(path.join(there, 'lost+found'), { recursive: true });
    symlinkSync('there', link);
    await create(link);
    expect(readdirSync(there).sort()).toEqual([...NAMES, 'lost+found'].sort());
    expect(readdirSync(parent).sort()).toEqual(['link', 'there']);
    await RunDirectory.open(link);
    await expect(create(there)).rejects.toThrow(`${there} already exists and is kept`);
  });

  it('does not take a file for a run that could be resumed', async () => {
    const file = path.join(temporaryFolder(), 'file');
    writeFileSync(file, 'kept');
    await expect(create(file)).rejects.toThrow(`${file} is not a folder; set out to another path`);
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });

  it('leaves an empty folder empty if it cannot be written', async () => {
    const folder = temporaryFolder();
    const failing = createRunFolder(folder, ['a', 'b', 'c'], async (place) => {
      writeFileSync(path.join(place, 'b'), '');
      throw Object.assign(new Error('ENOSPC: full, write'), { code: 'ENOSPC', syscall: 'write' });
    });
    await expect(failing).rejects.toThrow(FileError);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gets its last file last, so that a process that is killed leaves no run', async () => {
    const folder = temporaryFolder();
    await createRunFolder(folder, ['a', 'b'], async (place) => {
      expect(readdirSync(place)).toEqual(['a']);
      await expect(RunDirectory.open(place)).rejects.toThrow('it has no config.json and no last.safetensors');
    });
  });

  it('is not begun where another process is just creating one, and removes nothing of it', async () => {
    const folder = temporaryFolder();
    await createRunFolder(folder, ['a', 'b'], async (place) => {
      await expect(createRunFolder(folder, ['a', 'b'], async () => {})).rejects.toThrow(UsageError);
      writeFileSync(path.join(place, 'b'), '');
    });
    expect(readdirSync(folder)).toEqual(['a', 'b']);
    const both = await Promise.allSettled([1, 2].map(() => create(path.join(folder, 'run'))));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const empty = temporaryFolder();
    const again = await Promise.allSettled([1, 2].map(() => create(empty)));
    expect(again.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(empty).sort()).toEqual(NAMES);
  });

  it('is not put into a folder with other files, nor at a link that leads nowhere', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'notes.txt'), 'mine');
    await expect(create(folder)).rejects.toThrow(`${folder} is not empty, and what is in it is kept`);
    expect(readFileSync(path.join(folder, 'notes.txt'), 'utf8')).toBe('mine');
    const link = path.join(folder, 'link');
    symlinkSync('nowhere', link);
    await expect(create(link)).rejects.toThrow(`${link}: a part of the path is a file or a link that leads nowhere`);
    expect(existsSync(path.join(folder, 'nowhere'))).toBe(false);
  });

  it('has no name that Windows reserves', async () => {
    onPlatform('win32');
    await expect(create('runs/con')).rejects.toThrow(UsageError);
  });
});
