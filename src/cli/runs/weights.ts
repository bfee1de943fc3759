import path from 'node:path';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { IMAGE_SIDE } from '../../images.ts';
import { fieldOf } from '../../models/dense.ts';
import { encodePng } from '../../pictures/encode.ts';
import { contactSheet } from '../../pictures/sheet.ts';
import { templatePixels } from '../../pictures/template.ts';
import { type FilterUse, filterImages, filtersByUse, weightRows } from '../../report/filters.ts';
import type { OpenedRun } from '../../runs/open-run.ts';
import { flagOf } from '../inputs/field-names.ts';
import { expectFileName, parseOption, writeChosen } from '../inputs/option.ts';
import { loadImagesOf, openModel, type WeightsFlags } from '../inputs/saved-run.ts';
import type { ImageFlags } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { type Io, painter } from '../terminal/io.ts';
import { FILTER_COUNT, PIXEL_SCALE } from './options.ts';

export interface WeightsOptions extends WeightsFlags, ImageFlags {
  readonly png?: string;
  readonly count?: string;
  readonly scale?: string;
}

/** Tiles of the picture in reading order, with the text that identifies them. */
interface Tiles {
  readonly weights: readonly ArrayLike<number>[];
  readonly columns: number;
  /** Describes the tiles, such as 'the template of each class'. */
  readonly title: string;
  readonly names: readonly string[];
  readonly notes: readonly string[];
}

/** `nn-train weights RUN`: draws the weights of a saved run as a picture, by default in the run. */
export async function runWeights(folder: string, options: WeightsOptions, io: Io): Promise<void> {
  const count = parseOption('--count', options.count, FILTER_COUNT);
  const scale = parseOption('--scale', options.scale, PIXEL_SCALE);
  expectFileName('--png', options.png, ['.png']);
  const saved = await openModel(folder, options, io);
  const file = options.png ?? path.join(saved.directory.path, 'weights.png');
  const [unused] = (['count', 'data', 'trust'] as const).filter((key) => options[key] !== undefined).map(flagOf);
  if (!saved.model.hidden && unused !== undefined) {
    throw new UsageError(
      `${unused} applies to an mlp only, but ${folder} is linear and has ten templates; leave ${unused} out`,
    );
  }
  const tiles = saved.model.hidden ? await filters(saved, count, options, io) : await templates(saved);
  saved.backend.close();
  const sheet = contactSheet(tiles.weights.map(templatePixels), { columns: tiles.columns, scale, gap: 2 * scale });
  const png = encodePng(sheet.rgb, sheet.width, sheet.height);
  await writeChosen('--png', options.png === undefined, () => writeFileAtomic(file, png));

  const paint = painter(io.stdout, io.env);
  const label = (text: string) => paint('bold', text.padEnd(8));
  const lines = [
    `${label('shows')}${tiles.title}`,
    ...gridLines(tiles).map((row, i) => `${label(i === 0 ? 'order' : '')}${row}`),
    ...tiles.notes.map((note) => `${label('')}${note}`),
    `${label('saved')}${file} (${sheet.width}×${sheet.height})`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

async function templates(saved: OpenedRun): Promise<Tiles> {
  return {
    weights: await weightRows(saved.model, 'linear.weight'),
    columns: 5,
    title: 'the template of each class',
    names: saved.classes,
    notes: [],
  };
}

async function filters(saved: OpenedRun, count: number, { data, trust }: ImageFlags, io: Io): Promise<Tiles> {
  const dataset = await loadImagesOf(saved, { data, trust, backend: saved.backend }, io);
  const { config } = saved.record;
  const used = await filtersByUse(saved.model, dataset.test);
  const shown = used.slice(0, count);
  const imageOf = await filterImages(saved.model, config);
  const hasFields = config.receptiveField < IMAGE_SIDE;
  const nameOf = (filter: number) =>
    hasFields ? `${fieldOf(config, filter).field}/${filter % config.hidden}` : String(filter);
  return {
    weights: shown.map(({ filter }) => imageOf(filter)),
    columns: Math.ceil(Math.sqrt(shown.length)),
    title: `${shown.length === used.length ? 'all' : `${shown.length} of`} ${format.integer(used.length)} first-layer filters, the most used first`,
    names: shown.map(({ filter }) => nameOf(filter)),
    notes: [
      ...(hasFields ? ['4/12 is filter 12 of field 4; fields go row by row from the top left, from 0'] : []),
      ...notesOn(used, shown, dataset.test.labels.length),
    ],
  };
}

function notesOn(used: readonly FilterUse[], shown: readonly FilterUse[], images: number): string[] {
  const total = (filters: readonly FilterUse[]) => filters.reduce((sum, { use }) => sum + use, 0);
  const dead = used.filter(({ activeShares }) => activeShares.every((share) => share === 0)).length;
  return [
    `they account for ${format.percent(total(shown) / total(used))} of the use of all filters`,
    ...(dead > 0 ? [`${format.integer(dead)} filters are zero for all ${format.integer(images)} test images`] : []),
  ];
}

/** The names of the tiles in the rows and columns of the picture. */
function gridLines({ names, columns }: Tiles): string[] {
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const rows = Array.from({ length: Math.ceil(names.length / columns) }, (_, i) =>
    names.slice(i * columns, (i + 1) * columns),
  );
  return rows.map((row) =>
    row
      .map((name) => name.padEnd(width))
      .join('')
      .trimEnd(),
  );
}
