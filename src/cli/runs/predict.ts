import { stdin } from 'node:process';
import { EXIT, UserError } from '../../errors.ts';
import { fileError } from '../../files.ts';
import { decodePicture } from '../../pictures/decode.ts';
import { toCifar } from '../../pictures/resize.ts';
import { readToEnd } from '../../read-file.ts';
import type { OpenedRun } from '../../runs/open-run.ts';
import { predictedClasses, softmaxRows } from '../../training/predict.ts';
import { predictViews, type ViewCount } from '../../training/views.ts';
import { renderMessage } from '../inputs/field-names.ts';
import { parseOption } from '../inputs/option.ts';
import { openModel, type WeightsFlags } from '../inputs/saved-run.ts';
import { VIEWS } from '../inputs/shared-options.ts';
import { showControls } from '../terminal/controls.ts';
import * as format from '../terminal/format.ts';
import { type Io, painter, printNote, textWidth } from '../terminal/io.ts';

export interface PredictOptions extends WeightsFlags {
  readonly views?: string;
  readonly json?: true;
}

/** Limit on a picture's file: 100 million pixels, the most that are decoded, rarely need half of it. */
const MAX_PICTURE_BYTES = 256 * 2 ** 20;

/** A picture converted to the input of the network. */
interface Loaded {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Steps that turned the picture into a CIFAR-10 image. */
  readonly preprocessing: readonly string[];
  /** The image, 3072 bytes. */
  readonly row: Uint8Array;
}

interface Failed {
  readonly file: string;
  readonly error: UserError;
}

interface Predicted extends Omit<Loaded, 'row'> {
  readonly predicted: string;
  /** Probability of the predicted class. */
  readonly probability: number;
  /** By class, in [0, 1]. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** `nn-train predict RUN IMAGE…`: classifies pictures with a saved run. A picture that cannot be read does not stop the
 *  others. Resolves to the exit code: that of the first error. */
export async function runPredict(
  folder: string,
  files: readonly string[],
  options: PredictOptions,
  io: Io,
): Promise<number> {
  const views = parseOption('--views', options.views, VIEWS);
  const saved = await openModel(folder, options, io);
  const pictures: (Loaded | Failed)[] = [];
  for (const file of files) pictures.push(await loadPicture(file));
  const predicted = await classify(saved, pictures.filter(isReadable), views);
  saved.backend.close();
  const remaining = predicted.values();
  const results = pictures.map((picture) => (isReadable(picture) ? remaining.next().value! : picture));

  const { config, dataset } = saved.record;
  if (config.loss === 'hinge') {
    printNote(io, 'trained with the hinge loss, so scores are not probabilities; their softmax is shown');
  }
  if (dataset.name === 'synthetic') printNote(io, 'trained on the synthetic stand-in images, not on CIFAR-10');
  if (options.json) io.stdout.write(`${JSON.stringify(jsonOf(saved, results, views))}\n`);
  else io.stdout.write(textOf(predicted, io));

  const failed = pictures.filter((picture): picture is Failed => !isReadable(picture));
  for (const { error } of failed) io.stderr.write(`error: ${renderMessage(error.text, io.env)}\n`);
  return failed[0]?.error.exitCode ?? EXIT.done;
}

function isReadable(picture: Loaded | Failed): picture is Loaded {
  return 'row' in picture;
}

/** @param file a path, or '-' for stdin. */
async function loadPicture(file: string): Promise<Loaded | Failed> {
  const name = file === '-' ? 'stdin' : file;
  try {
    const bytes = await readToEnd(file === '-' ? stdin : file, MAX_PICTURE_BYTES);
    const picture = decodePicture(bytes, name);
    const { row, preprocessing } = toCifar(picture);
    const { width, height } = picture;
    return { file, width, height, preprocessing: [...picture.preprocessing, ...preprocessing], row };
  } catch (cause) {
    const error = fileError(`cannot read ${name}`, cause);
    if (error instanceof UserError) return { file, error };
    throw error;
  }
}

async function classify(
  { model, backend, classes }: OpenedRun,
  pictures: readonly Loaded[],
  views: ViewCount,
): Promise<Predicted[]> {
  if (pictures.length === 0) return [];
  const set = backend.imageSet(pictures.length);
  for (const [i, { row }] of pictures.entries()) set.images.set(row, i * row.length);
  const C = classes.length;
  const logits = await predictViews(model, set, views);
  const [predicted, probabilities] = [predictedClasses(logits, C), softmaxRows(logits, C)];
  return pictures.map(({ row: _, ...picture }, i) => {
    const best = predicted[i];
    return {
      ...picture,
      predicted: classes[best],
      probability: probabilities[i * C + best],
      probabilities: Object.fromEntries(classes.map((name, c) => [name, probabilities[i * C + c]])),
    };
  });
}

function jsonOf(
  { directory, weights, record, progress }: OpenedRun,
  results: readonly (Predicted | Failed)[],
  views: ViewCount,
): object {
  const { config, dataset } = record;
  return {
    model: config.model,
    dataset: dataset.name,
    /** With hinge, the probabilities are the softmax of scores that were not trained as logits. */
    loss: config.loss,
    run: directory.path,
    weights,
    epoch: progress.lastEpoch?.epoch ?? 0,
    views,
    images: results.map((result) => ('error' in result ? { file: result.file, error: result.error.message } : result)),
  };
}

const BAR_CELLS = 24;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** For each picture its name, its preprocessing and a bar for each class, the most probable first. */
function textOf(results: readonly Predicted[], io: Io): string {
  const paint = painter(io.stdout, io.env);
  const blocks = results.map(({ file, width, height, preprocessing, predicted, probabilities }) => {
    const classes = Object.entries(probabilities)
      .map(([name, probability]) => [showControls(name), probability] as const)
      .sort(([, a], [, b]) => b - a);
    const nameWidth = Math.max(...classes.map(([name]) => name.length));
    const cells = Math.max(1, Math.min(BAR_CELLS, textWidth(io.stdout) - nameWidth - 14));
    const lines = classes.map(([name, probability]) => {
      const text = `${name.padEnd(nameWidth)}  ${bar(probability, cells).padEnd(cells)}  ${format.percent(probability).padStart(8)}`;
      return name === showControls(predicted) ? `> ${paint(['green', 'bold'], text)}` : `  ${text}`;
    });
    const description = [`${width}×${height}`, ...preprocessing].join(', ');
    const heading = `${paint('bold', showControls(file))}  ${paint('dim', description)}`;
    return [...(io.stdout.columns < 80 ? format.wrap(heading, io.stdout.columns) : [heading]), ...lines].join('\n');
  });
  return blocks.map((block) => `${block}\n`).join('\n');
}

function bar(share: number, cells: number): string {
  const eighths = Math.round(share * cells * 8);
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}
