import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReferenceBackend } from '../../backends/reference/reference.ts';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { type DenseTensor, denseNetwork } from '../../models/dense.ts';
import { VERSION } from '../../runs/environment.ts';
import { weightsNamedBy } from '../../runs/find-run.ts';
import { type OpenedRun, openRun } from '../../runs/open-run.ts';
import { sourcePixels, viewsOf } from '../../training/views.ts';
import { encodeSafetensors } from '../../weights/safetensors.ts';
import { expectFileName, parseOption, writeChosen } from '../inputs/option.ts';
import { VIEWS, WEIGHTS } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { type Io, painter, printNote, textWidth } from '../terminal/io.ts';

export interface ExportOptions {
  readonly weights?: string;
  readonly views?: string;
  readonly dense?: string;
}

/** `nn-train export RUN`: writes the model of a saved run as a plain dense network, by default in the run. */
export async function runExport(folder: string, options: ExportOptions, io: Io): Promise<void> {
  const views = parseOption('--views', options.views, VIEWS);
  const weights = parseOption('--weights', options.weights ?? weightsNamedBy(folder), WEIGHTS);
  expectFileName('--dense', options.dense, ['.safetensors']);
  if (options.dense !== undefined) expectNoCheckpoint(options.dense);
  const run = await openRun(folder, { weights, backend: new ReferenceBackend() });
  const { backend, parameters } = run.model.graph;
  const values = new Map<string, Float32Array | Float64Array>();
  for (const { name, tensor } of parameters) values.set(name, await backend.read(tensor));
  const tensors = denseNetwork(run.record.config, values, viewsOf(views).map(sourcePixels));
  const content = encodeSafetensors({ tensors, metadata: metadataOf(run, views) });
  const file = options.dense ?? path.join(run.directory.path, 'dense.safetensors');
  await writeChosen('--dense', options.dense === undefined, () => writeFileAtomic(file, content));

  if (run.record.dataset.name === 'synthetic')
    printNote(io, 'trained on the synthetic stand-in images, not on CIFAR-10');
  const layout = { indent: 8, width: textWidth(io.stdout), paint: painter(io.stdout, io.env) };
  const from = `${weights} weights (epoch ${run.progress.lastEpoch?.epoch ?? 0})${views === 1 ? '' : `, ${views} views averaged`}`;
  const lines = [
    ...layersOf(tensors).flatMap((layer, i) => format.labelled(i === 0 ? 'network' : '', layer, layout)),
    ...format.labelled('of', from, layout),
    ...format.labelled('saved', `${file} (${format.megabytes(content.length)})`, layout),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** @throws UsageError if a file is the checkpoint of a run, which would be lost. */
function expectNoCheckpoint(file: string): void {
  const folder = path.dirname(file);
  if (weightsNamedBy(file) === undefined || !existsSync(path.join(folder, 'config.json'))) return;
  throw new UsageError(
    `${file} is a checkpoint of the run ${folder}, which --dense would replace; choose another name`,
  );
}

/** What a reader of the file has to know; format says that tensors are laid out as in PyTorch. */
function metadataOf({ classes, weights, progress, record }: OpenedRun, views: number): Record<string, string> {
  return {
    format: 'pt',
    generator: `nn-train ${VERSION}`,
    network: record.config.model === 'linear' ? 'scores = linear(x)' : 'scores = fc2(relu(fc1(x)))',
    inputs: 'x = (p - 128) / 64 of 3072 bytes p: 1024 red, 1024 green, 1024 blue, each 32 x 32, row by row',
    classes: JSON.stringify(classes),
    weights: `${weights}, epoch ${progress.lastEpoch?.epoch ?? 0}`,
    views: String(views),
  };
}

/** The weight and the bias of each layer, with their shapes. */
function layersOf(tensors: ReadonlyMap<string, DenseTensor>): string[] {
  const shapes = [...tensors].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  return shapes.flatMap((weight, i) => (i % 2 === 0 ? `${weight}, ${shapes[i + 1]}` : []));
}
