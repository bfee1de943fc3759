import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { encode as encodeJpeg } from 'jpeg-js';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { parseQuestion } from '../../src/cli/explain/question.ts';
import { readConfigFile } from '../../src/cli/inputs/config-file.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { openParquet, readRowGroups } from '../../src/dataset/formats/parquet-file.ts';
import { numpyGlobals } from '../../src/dataset/formats/python/numpy.ts';
import { unpickle } from '../../src/dataset/formats/python/pickle.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { readSource } from '../../src/dataset/read.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { explainGraph } from '../../src/explain/graph-explanation.ts';
import { fileError } from '../../src/files.ts';
import { decodePicture } from '../../src/pictures/decode.ts';
import { toCifar } from '../../src/pictures/resize.ts';
import { decodeProgress } from '../../src/runs/decode.ts';
import { type RecordedRun, readRun } from '../../src/runs/open-run.ts';
import { train } from '../../src/runs/train.ts';
import { parseSweepFile } from '../../src/sweep/space/sweep-file.ts';
import { INITIAL_PROGRESS } from '../../src/training/progress.ts';
import { decodeSafetensors } from '../../src/weights/decode.ts';
import { encodeSafetensors } from '../../src/weights/safetensors.ts';
import { drain, TAR_END, tarEntry } from '../support/cifar10.ts';
import { pngRecords } from '../support/cifar10-versions.ts';
import { CODECS, parquetFile } from '../support/parquet.ts';
import { jpegFile, pngFile } from '../support/pictures.ts';

/** A reader of files or texts, with small valid inputs. */
export interface Reader {
  readonly name: string;
  inputs(scratch: string): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Reads one input. @param scratch a folder for its files. */
  read(input: Buffer, scratch: string): Promise<unknown> | unknown;
}

const CONFIG = resolveConfig({ val: 20, batchSize: 20, epochs: 2, precision: 'float32' });

const RUN_FILES: Readonly<Record<string, (run: RecordedRun) => Promise<unknown>>> = {
  'config.json': async ({ record }) => record,
  'metrics.jsonl': ({ directory }) => directory.metrics(),
  'steps.jsonl': ({ directory }) => directory.steps(),
  'result.json': ({ directory }) => directory.outcome(),
  'times.json': ({ directory, record }) => directory.load('last', record.config),
};

/** Where a reader demands 10,000 images, it is given fewer: what wraps them is the same, and it refuses their number. */
/** Readers of images. */
export const IMAGE_READERS: readonly Reader[] = [
  {
    name: 'binary batches',
    inputs: () => [Buffer.alloc(3 * 3_073, 7)],
    read: (input, scratch) => drain(readSource({ kind: 'folder', path: folderOf(input, scratch, 'data_batch_1.bin') })),
  },
  { name: 'compressed archives', inputs: binaryArchives, read: readArchive('archive', 'images.tar.gz') },
  {
    name: 'tar archives',
    inputs: () => pythonArchives().map((archive) => gunzipSync(archive)),
    read: readArchive('python-archive', 'images.tar'),
  },
  { name: 'pickles', inputs: pickles, read: (input) => unpickle(input, numpyGlobals(), 'FILE') },
  {
    name: 'Parquet files',
    inputs: () => CODECS.map((codec) => parquetFile(pngRecords(0).slice(0, 6), codec, 4)),
    read: async (input, scratch) => {
      const parquet = await openParquet(join(folderOf(input, scratch, 'train.parquet'), 'train.parquet'));
      try {
        for await (const rows of readRowGroups(parquet)) {
          for (const { image } of rows) if (image?.bytes instanceof Uint8Array) decodePicture(image.bytes, 'FILE');
        }
      } finally {
        await parquet.handle.close();
      }
    },
  },
  { name: 'PNG', inputs: pngs, read: readPicture },
  { name: 'JPEG', inputs: jpegs, read: readPicture },
];

/** Readers of runs, configuration files and expressions. */
export const RUN_READERS: readonly Reader[] = [
  { name: 'safetensors', inputs: () => [weights()], read: (input) => decodeSafetensors(input, 'FILE') },
  ...Object.entries(RUN_FILES).map(fileOfRun),
  {
    name: 'the progress in the weights of a run',
    inputs: () => [Buffer.from(JSON.stringify(INITIAL_PROGRESS))],
    read: (input) => decodeProgress(String(input), 'FILE', CONFIG),
  },
  {
    name: 'configuration files',
    inputs: () =>
      ['{"model": "mlp", "lr": 0.05, "epochs": 3, "flip": true, "seed": 7}', '\ufeff{"optimizer": "adamw"}'].map(
        (content) => Buffer.from(content),
      ),
    read: async (input, scratch) =>
      resolveConfig(await readConfigFile(join(folderOf(input, scratch, 'c.json'), 'c.json'))),
  },
  {
    name: 'sweep files',
    inputs: () =>
      [
        'method: bayes\nmetric: {name: validation.loss}\nparameters:\n  lr: {min: 1e-4, max: 0.1}\n  flip: [true, false]\n',
        'parameters: {optimizer: "sgd,adamw", weightDecay: }\nearly_terminate: {type: hyperband, eta: 3}\nseed: 7\n',
      ].map((content) => Buffer.from(content)),
    read: (input) =>
      parseSweepFile(input).catch((error) => {
        throw fileError('cannot read FILE', error);
      }),
  },
  {
    name: 'expressions',
    inputs: () =>
      [
        '(x+y)*z\nx=-2\ny=5\nz=-4',
        'norm2(W*x)\nW=[[0.1,0.5],[-0.3,0.8]]\nx=[0.2,0.4]',
        'q = sigmoid(w0*x0 + w1); r = max(q, 0.5)^2 / exp(q)\nw0=2\nx0=-1\nw1=-3',
      ].map((content) => Buffer.from(content)),
    read: async (input) => {
      const [expression, ...assignments] = String(input).split('\n');
      await explainGraph((await parseQuestion(expression, assignments, 'nn-train')).subject);
    },
  },
];

/** A run, one of whose files is damaged. */
function fileOfRun([name, readFile]: readonly [string, (run: RecordedRun) => Promise<unknown>]): Reader {
  return {
    name: `the ${name} of a run`,
    inputs: async (scratch) => {
      const images = syntheticDataset({ trainCount: 60, testCount: 20 });
      const dataset: Dataset = { ...images, name: 'synthetic', source: 'generated', sha256: '0'.repeat(64) };
      await train({ config: CONFIG, dataset, backend: new ReferenceBackend(), out: join(scratch, 'run') });
      return [readFileSync(join(scratch, 'run', name))];
    },
    read: async (input, scratch) => readFile(await readRun(folderOf(input, join(scratch, 'run'), name))),
  };
}

function folderOf(input: Uint8Array, scratch: string, name: string): string {
  writeFileSync(join(scratch, name), input);
  return scratch;
}

function readArchive(kind: 'archive' | 'python-archive', name: string): Reader['read'] {
  return (input, scratch) => drain(readSource({ kind, path: join(folderOf(input, scratch, name), name) }));
}

function readPicture(input: Buffer): void {
  toCifar(decodePicture(input, 'FILE'));
}

function binaryArchives(): Buffer[] {
  const folder = 'cifar-10-batches-bin';
  const page = tarEntry(`${folder}/readme.html`, Buffer.from('<p>'));
  return [Buffer.concat([page, tarEntry(`${folder}/data_batch_1.bin`, Buffer.alloc(3_073)), TAR_END])];
}

function pythonArchives(): Buffer[] {
  const entries = pickles().map((pickle, n) => tarEntry(`cifar-10-batches-py/data_batch_${n + 1}`, pickle));
  return [Buffer.concat([...entries.slice(0, 2), TAR_END])];
}

function pickles(): Buffer[] {
  const { pickles } = JSON.parse(readFileSync('test/fixtures/pickles.json', 'utf8')) as { pickles: object };
  return Object.values(pickles).map((pickle) => Buffer.from(pickle, 'base64'));
}

function pngs(): Buffer[] {
  const samples = Array.from({ length: 9 * 9 * 4 }, (_, i) => (i * 37) & 255);
  const picture = { width: 9, height: 9, depth: 8 };
  const palette = samples.slice(0, 48);
  return [
    pngFile({ ...picture, colourType: 6, samples, filter: 4 }),
    pngFile({ ...picture, colourType: 2, samples, interlaced: true }),
    pngFile({ ...picture, depth: 4, colourType: 3, samples: samples.map((sample) => sample & 15), palette }),
  ];
}

function jpegs(): Buffer[] {
  const values = [10, 200, 90, 128];
  const data = Buffer.from(Array.from({ length: 16 * 16 * 4 }, (_, i) => (i * 37) & 255));
  return [
    jpegFile({ width: 16, height: 16, components: [values, values, values], restartInterval: 2, orientation: 6 }),
    jpegFile({ width: 16, height: 16, components: [values, values, values, values], adobe: 2 }),
    encodeJpeg({ width: 16, height: 16, data }, 60).data,
  ];
}

function weights(): Uint8Array {
  const tensors = new Map([
    ['linear.weight', { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['linear.bias', { shape: [2], values: Float32Array.of(1, 2) }],
  ]);
  return encodeSafetensors({ tensors, metadata: { progress: '{"step":1}' } });
}
