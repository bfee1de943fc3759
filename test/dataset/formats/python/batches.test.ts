import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readSource } from '../../../../src/dataset/read.ts';
import { DataError } from '../../../../src/errors.ts';
import { drain, NAMES, rejection, scratchFolder, TAR_END, tarEntry, tree } from '../../../support/cifar10.ts';
import {
  ALL_EQUAL,
  compareBatches,
  latin1,
  PYTHON_NAMES,
  patternFile,
  pythonFile,
} from '../../../support/cifar10-versions.ts';

const scratch = scratchFolder();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'py-'));
});

async function failure(name: string, content: Uint8Array): Promise<string> {
  for (const each of PYTHON_NAMES) writeFileSync(join(folder, each), each === name ? content : '');
  return (await refusal({ kind: 'python-folder', path: folder })).replace(join(folder, name), 'FILE');
}

async function refusal(source: Parameters<typeof readSource>[0]): Promise<string> {
  const error = await rejection(drain(readSource(source)));
  expect(error).toBeInstanceOf(DataError);
  return error.message;
}

describe('the Python version', () => {
  test('gives the bytes of the binary version from a folder', async () => {
    for (const [n, name] of PYTHON_NAMES.entries()) writeFileSync(join(folder, name), pythonFile(patternFile(n)));
    expect(await compareBatches(readSource({ kind: 'python-folder', path: folder }))).toEqual(ALL_EQUAL);
  });

  test('gives them from an archive in any order, and writes nothing', async () => {
    const path = join(folder, 'cifar-10-python.tar.gz');
    const entries = PYTHON_NAMES.map((name, n) =>
      tarEntry(`${n % 2 ? '' : 'cifar-10-batches-py/'}${name}`, pythonFile(patternFile(n))),
    );
    const others = [
      tarEntry('cifar-10-batches-py/batches.meta', latin1('cos\nsystem\n.')),
      tarEntry('../data_batch_1', latin1('cos\nsystem\n.')),
      tarEntry('cifar-10-batches-py/link', undefined, { type: 'SymbolicLink', linkpath: '/etc/passwd' }),
    ];
    writeFileSync(path, Buffer.concat([...others, ...entries.reverse(), TAR_END]));
    expect(await compareBatches(readSource({ kind: 'python-archive', path }))).toEqual(ALL_EQUAL);
    expect(tree(folder)).toEqual(['cifar-10-python.tar.gz']);
  });

  const hasPython = spawnSync('python3', ['-c', 'import pickle']).status === 0;
  // Each file in another protocol. Stub modules give the pickler what numpy would, so that numpy need not be installed.
  test.skipIf(!hasPython)('gives them from files written by python3 in protocols 0 to 5', async () => {
    const program = `
import pickle, sys, types
for name in ['numpy', 'numpy._core', 'numpy._core.multiarray', 'numpy._core.numeric']:
    sys.modules[name] = types.ModuleType(name)
def place(module):
    def set(thing):
        thing.__module__ = module
        setattr(sys.modules[module], thing.__name__, thing)
        return thing
    return set
@place('numpy._core.multiarray')
def _reconstruct(*args): pass
@place('numpy._core.numeric')
def _frombuffer(*args): pass
@place('numpy')
class dtype:
    def __reduce__(self): return dtype, ('u1', False, True), (3, '|', None, None, None, -1, -1, 0)
@place('numpy')
class ndarray:
    def __init__(self, data): self.data = data
    def __reduce_ex__(self, protocol):
        shape = (len(self.data) // 3072, 3072)
        if protocol == 5: return _frombuffer, (pickle.PickleBuffer(self.data), dtype(), shape, 'C')
        return _reconstruct, (ndarray, (0,), b'b'), (1, shape, dtype(), False, self.data)
for protocol, name in enumerate(${JSON.stringify(PYTHON_NAMES)}):
    records = open(name + '.bin', 'rb').read()
    rows = range(0, len(records), 3073)
    labels, data = [records[at] for at in rows], b''.join(records[at + 1:at + 3073] for at in rows)
    batch = {b'labels': labels, b'data': ndarray(data), b'filenames': [b'%d.png' % at for at in rows]}
    with open(name, 'wb') as file: pickle.dump(batch, file, protocol)
`;
    for (const [n, name] of NAMES.entries()) writeFileSync(join(folder, name), patternFile(n));
    const { stderr } = spawnSync('python3', ['-c', program], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(await compareBatches(readSource({ kind: 'python-folder', path: folder }))).toEqual(ALL_EQUAL);
  });
});

describe('a batch is refused', () => {
  const good = patternFile(0);
  const wrongLabel = Buffer.from(good);
  wrongLabel[77 * 3_073] = 10;
  test.each([
    [
      'that calls a system function',
      latin1("cos\nsystem\n(S'true'\ntR."),
      'FILE names os.system, which the images do not need',
    ],
    ['that is not a dict', latin1('].'), 'FILE is a pickle, but not of a dict; wanted a batch of CIFAR-10'],
    [
      'of CIFAR-100',
      pythonFile(good, { labelsKey: 'fine_labels' }),
      'FILE is of CIFAR-100; wanted a batch of CIFAR-10',
    ],
    ['with too few images', pythonFile(good, { images: 9_999 }), 'FILE has data of 9,999 × 3,072 bytes; wanted'],
    [
      'with images that are too small',
      pythonFile(good, { columns: 3_071 }),
      'FILE has data of 10,000 × 3,071 bytes; wanted',
    ],
    ['with an invalid label', pythonFile(wrongLabel), 'FILE has a label that is not 0 to 9, at image 77; wanted'],
    ['without data', latin1('}.'), "FILE has a dict without 'data'; it has nothing; wanted"],
    ['with data that is not an array', latin1('}U\x04dataNs.'), 'FILE has data that is not a numpy array; wanted'],
    ['that is empty', Buffer.alloc(0), 'FILE is empty; wanted a pickle of CIFAR-10'],
    ['that is a web page', latin1('<!DOCTYPE html>'), 'FILE is an HTML page; wanted a pickle of CIFAR-10'],
    ['that is a text', latin1('not found'), 'FILE is not a pickle or is damaged: byte 110 is not an opcode'],
  ])('%s', async (_, content, reason) => {
    expect(await failure('data_batch_1', content)).toContain(reason);
  });

  test('that is too large, before it is read', async () => {
    for (const name of PYTHON_NAMES) writeFileSync(join(folder, name), '');
    const path = join(folder, 'data_batch_1');
    truncateSync(path, 10 * 2 ** 30);
    expect(await refusal({ kind: 'python-folder', path: folder })).toContain(
      `${path} has 10,737,418,240 bytes, wanted about 31,000,000 and at most 134,217,728`,
    );
    rmSync(path);
    mkdirSync(path);
    expect(await refusal({ kind: 'python-folder', path: folder })).toContain(
      `${path}: it is a folder, wanted a regular file`,
    );
  });
});

describe('an archive is refused', () => {
  const path = join(scratch, 'mine.tar.gz');
  test.each([
    [
      'with a file of 10 GB',
      [tarEntry('test_batch', undefined, { size: 10 * 2 ** 30 })],
      'has 10,737,418,240 bytes, wanted',
    ],
    [
      'with a link in place of a file',
      [tarEntry('test_batch', undefined, { type: 'Link', linkpath: '/etc/passwd' })],
      'is a Link, wanted',
    ],
    ['with other files', [tarEntry('readme.html'), TAR_END], 'none of the six files of CIFAR-10; it has "readme.html"'],
    ['that is a web page', [latin1('<!DOCTYPE html>')], 'is an HTML page; wanted an archive of CIFAR-10'],
    [
      'with a pickle that names a system function',
      [tarEntry('test_batch', latin1('cos\nsystem\n.')), TAR_END],
      'names os.system',
    ],
  ])('%s', async (_, pieces, reason) => {
    writeFileSync(path, Buffer.concat(pieces));
    expect(await refusal({ kind: 'python-archive', path })).toContain(reason);
  });
});

test('an aborted read rejects with the reason of the signal', async () => {
  const reason = new Error('Ctrl-C');
  const source = { kind: 'python-folder', path: folder } as const;
  expect(await rejection(drain(readSource(source, { signal: AbortSignal.abort(reason) })))).toBe(reason);
});
