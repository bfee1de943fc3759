import { CLASSES, decodeBatches, FILE_SHA256 } from '../../dataset/cifar10.ts';
import type { Source } from '../../dataset/locate.ts';
import { readSource } from '../../dataset/read.ts';
import { imageStatistics, type SetStatistics } from '../../dataset/statistics.ts';
import { readRecord, type Verification } from '../../dataset/store.ts';
import { recordHashes, verifyHashes } from '../../dataset/verify.ts';
import { EXIT } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { type ImageSet, imageAt } from '../../images.ts';
import type { Message } from '../../message.ts';
import { encodePng } from '../../pictures/encode.ts';
import { labelledSheet } from '../../pictures/labelled-sheet.ts';
import { cifarPixels } from '../../pictures/template.ts';
import { printImageNote } from '../inputs/images.ts';
import { expectFileName } from '../inputs/option.ts';
import { showControls } from '../terminal/controls.ts';
import * as format from '../terminal/format.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { type Column, tableLines } from '../terminal/table.ts';
import { findSource, KIND_NAME } from './source.ts';

export interface InfoOptions {
  readonly trust?: true;
  readonly sample?: string;
  readonly json?: true;
}

/** Description of a set of images. `--json` prints these names; they are a contract. */
interface DataInfo extends Source, Pick<Verification, 'official' | 'files'> {
  /** Origin of the images in the cache; null if it is not recorded. */
  readonly source: string | null;
  readonly classes: readonly string[];
  readonly train: SetStatistics;
  readonly test: SetStatistics;
}

/** Images of each class in the sample. */
const PER_CLASS = 10;

/** `nn-train data info [PATH]`: describes the images and their origin. Resolves to the exit code. */
export function runInfo(path: string | undefined, options: InfoOptions, io: Io): Promise<number> {
  return runUntilInterrupted(io, async (signal) => {
    expectFileName('--sample', options.sample, ['.png']);
    const source = await findSource(path, io);
    const hashes = new Map<string, string>();
    const onNote = (note: Message) => printImageNote(note, io);
    const batches = readSource(source, { signal, trust: options.trust, onNote });
    const { train, test } = await decodeBatches(recordHashes(batches, hashes));
    const info: DataInfo = {
      ...source,
      source: (source.kind === 'folder' && (await readRecord(source.path))?.source) || null,
      ...(await verifyHashes(source, hashes)),
      classes: CLASSES,
      train: imageStatistics(train, CLASSES.length),
      test: imageStatistics(test, CLASSES.length),
    };
    if (options.sample !== undefined) await writeSample(options.sample, train);
    if (options.json) io.stdout.write(`${JSON.stringify(info)}\n`);
    else io.stdout.write(textOf(info, options.sample, io));
    return EXIT.done;
  });
}

/** Writes the first ten training images of each class, one row for each class. */
async function writeSample(file: string, { images, labels }: ImageSet): Promise<void> {
  const rows = CLASSES.map((label, c) => {
    const ofClass = [...labels.keys()].filter((row) => labels[row] === c).slice(0, PER_CLASS);
    return { label, tiles: ofClass.map((row) => cifarPixels(imageAt(images, row))) };
  });
  const { rgb, width, height } = labelledSheet(rows, { scale: 2, gap: 6 });
  await writeFileAtomic(file, encodePng(rgb, width, height));
}

type Paint = ReturnType<typeof painter>;

function textOf(info: DataInfo, sample: string | undefined, io: Io): string {
  const paint = painter(io.stdout, io.env);
  const width = textWidth(io.stdout);
  const row = (label: string, text: string) => format.labelled(label, text, { indent: 9, width, paint });
  const lines = [
    // Paths are kept whole.
    `${paint('bold', 'images   ')}${showControls(info.path)}`,
    ...row('format', KIND_NAME[info.kind]),
    ...(info.source === null ? [] : row('source', showControls(info.source))),
    ...row('files', originOf(info)),
    '',
    ...classLines(info, paint, width),
    '',
    ...channelLines(info, paint, width),
    ...(sample === undefined ? [] : ['', `${paint('bold', 'sample   ')}${sample}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function originOf({ official, files }: DataInfo): string {
  if (official) return `all ${files.length} have the published SHA-256`;
  const same = files.filter(({ name, sha256 }) => FILE_SHA256[name] === sha256).length;
  return `${same} of ${files.length} have the published SHA-256: these are not the official images`;
}

function classLines({ classes, train, test }: DataInfo, paint: Paint, width: number): string[] {
  const columns: readonly Column[] = [
    { header: 'class', align: 'left' },
    { header: 'training', align: 'right' },
    { header: 'test', align: 'right' },
  ];
  const row = (name: string, ofTrain: number, ofTest: number) => [
    [name],
    [format.integer(ofTrain)],
    [format.integer(ofTest)],
  ];
  const rows = classes.map((name, c) => row(name, train.perClass[c], test.perClass[c]));
  return tableLines(columns, [...rows, row('all', train.images, test.images)], paint, width);
}

function channelLines({ train, test }: DataInfo, paint: Paint, width: number): string[] {
  const columns: readonly Column[] = [
    { header: 'channel', align: 'left' },
    { header: 'mean p', align: 'right' },
    { header: 'deviation p', align: 'right' },
    { header: 'mean x', align: 'right' },
    { header: 'deviation x', align: 'right' },
  ];
  const rows = [
    { name: 'training', set: train },
    { name: 'test', set: test },
  ].flatMap(({ name, set }) =>
    set.channels.map(({ channel, bytes, scaled }) => [
      [`${name} ${channel}`],
      [bytes.mean.toFixed(2)],
      [bytes.deviation.toFixed(2)],
      [scaled.mean.toFixed(4)],
      [scaled.deviation.toFixed(4)],
    ]),
  );
  const note = 'p: bytes, 0 to 255; x = (p − 128)/64: the input of the networks';
  return [...tableLines(columns, rows, paint, width), ...format.wrap(note, width)];
}
