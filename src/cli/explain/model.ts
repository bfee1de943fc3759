import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import type { Config } from '../../config/config.ts';
import type { Dataset } from '../../dataset/load.ts';
import { locate } from '../../dataset/locate.ts';
import { UsageError } from '../../errors.ts';
import { modelDiagram, short } from '../../explain/model-diagram.ts';
import { explainModel, type ModelExplanation } from '../../explain/model-graph.ts';
import { DATASET_LABEL } from '../../images.ts';
import { initialise } from '../../models/initialise.ts';
import { buildModel } from '../../models/model.ts';
import { OPTIMIZERS } from '../../optim/optimizers.ts';
import { Updater } from '../../optim/updater.ts';
import { Random } from '../../random.ts';
import { augmentedBatch, shuffled, splitTrainingSet } from '../../training/batches.ts';
import { loadBatch } from '../../training/evaluate.ts';
import { writeParameters } from '../../training/restore.ts';
import type { BackendFlags } from '../inputs/backend.ts';
import { flagsOf } from '../inputs/hyperparameters.ts';
import { loadImagesOfSubject, openBackendOfSubject, readSubject, type Subject } from '../inputs/saved-run.ts';
import type { ImageFlags } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { standInLine } from '../terminal/format.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { type Column, type Row, tableLines } from '../terminal/table.ts';
import { type DrawingFiles, draw } from './draw.ts';

/** Options of `explain --model` other than hyperparameters. */
export interface ExplainModelOptions extends BackendFlags, DrawingFiles, ImageFlags {
  readonly json?: true;
}

/** `nn-train explain --model linear|mlp [RUN]`: shows the training graph, the cost of a step, and mean values and
 *  gradients. */
export async function runExplainModel(folder: string | undefined, command: Command, io: Io): Promise<void> {
  const options = command.opts<ExplainModelOptions>();
  const subject = await readSubject(folder, command, io, { allowed: ['model'] });
  expectModel(subject, flagsOf(command).model);
  const { config, run } = subject;
  const backend = await openBackendOfSubject(subject, options, io);
  const dataset = await loadImages(subject, options, backend, io);
  const model = buildModel(backend, config, Math.min(config.batchSize, dataset.train.labels.length));
  if (run) writeParameters(model, run.checkpoint.tensors);
  else initialise(model, config);
  const { train } = splitTrainingSet(dataset.train.labels.length, config.val, config.trainLimit);
  const batch = shuffled(train, config.seed, 1).subarray(0, config.batchSize);
  loadBatch(model, dataset.train, augmentedBatch(batch, { ...config, step: 0 }));
  const explanation = await explainModel(model, {
    key: new Random(config.seed, 'dropout', 0).uint32(),
    optimizerState: new Updater(OPTIMIZERS[config.optimizer].create(config), backend, model.graph.parameters).state,
  });
  backend.close();

  const what = run ? `of ${run.directory.path}, step ${format.integer(run.checkpoint.progress.step)}` : 'initial';
  const notes = noteLines(explanation, what, dataset);
  const diagram = modelDiagram(explanation, `${config.model}, weights: ${what}`);
  const page = async () => (await import('../../drawing/render.ts')).renderHtml([diagram], notes);
  await draw(diagram, page, options, io);
  const result = { model: config.model, run: run?.directory.path ?? null, dataset: dataset.name, ...explanation };
  const lines = options.json ? [JSON.stringify(result)] : [...linesOf(explanation, io), '', ...wrapped(notes, io)];
  if (dataset.name === 'synthetic' && !options.json) {
    lines.push(...format.wrap(standInLine(painter(io.stdout, io.env)), textWidth(io.stdout)));
  }
  io.stdout.write(`${lines.join('\n')}\n`);
}

function expectModel({ config, run }: Subject, wanted: Config['model'] | undefined): void {
  if (config.model === wanted) return;
  throw new UsageError(
    `${run!.directory.path} is a run of --model ${config.model}, got --model ${wanted}; set --model ${config.model}`,
  );
}

/** Loads CIFAR-10 if it is on this machine, otherwise generated images: a drawing is not worth a download. */
async function loadImages(subject: Subject, options: ExplainModelOptions, backend: Backend, io: Io): Promise<Dataset> {
  const signal = new AbortController().signal;
  const isAuto = !subject.run && subject.config.dataset === 'auto';
  const isLocal = isAuto && (await locate({ path: options.data, env: io.env, cwd: io.cwd() }));
  if (!isAuto || isLocal) return loadImagesOfSubject(subject, { ...options, signal, backend }, io);
  const config: Config = { ...subject.config, dataset: 'synthetic' };
  return loadImagesOfSubject({ config }, { signal, backend }, io);
}

function noteLines(
  { batchSize, flops, memory, hidden, parameters }: ModelExplanation,
  what: string,
  { name }: Dataset,
): string[] {
  const { integer, percent } = format;
  const all = memory.parameters + memory.optimizer + memory.activations + memory.gradients;
  const lines = [
    `weights  ${what}; ${integer(parameters)} parameters`,
    `batch    ${integer(batchSize)} training images of ${DATASET_LABEL[name]}, augmented as in training`,
    `compute  ${flopsOf(flops.forward)} forward and ${flopsOf(flops.backward)} backward for each step`,
    `memory   ${bytesOf(all)}: parameters ${bytesOf(memory.parameters)}, optimiser ${bytesOf(memory.optimizer)},`,
    `         activations ${bytesOf(memory.activations)}, their gradients ${bytesOf(memory.gradients)}`,
  ];
  if (hidden) {
    const dead = `${integer(hidden.deadUnits)} of ${integer(hidden.units)} units`;
    lines.push(
      `hidden   ${dead} (${percent(hidden.deadUnits / hidden.units)}) are zero for every image of the batch,`,
      `         and ${percent(hidden.zeroShare)} of all activations`,
    );
  }
  return lines;
}

/** The notes, each with a label of nine columns, in the width of the terminal. */
function wrapped(notes: readonly string[], io: Io): string[] {
  const layout = { indent: 9, width: textWidth(io.stdout), paint: (_: unknown, text: string) => text };
  return notes.flatMap((note) => format.labelled(note.slice(0, 9).trim(), note.slice(9), layout));
}

const WIRES: readonly Column[] = [
  { header: 'wire', align: 'left' },
  { header: 'shape', align: 'left' },
  { header: 'memory', align: 'right' },
  { header: 'mean |value|', align: 'right', style: 'green' },
  { header: 'mean |gradient|', align: 'right', style: 'red' },
];
const GATES: readonly Column[] = [
  { header: 'gate', align: 'left' },
  { header: 'forward', align: 'right' },
  { header: 'backward', align: 'right' },
];

function linesOf({ wires, gates }: ModelExplanation, io: Io): string[] {
  const paint = painter(io.stdout, io.env);
  const mean = (value: number | null) => (value === null ? '–' : short(value));
  const wireRows = wires.map(({ name, shape, bytes, meanValue, meanGradient }) =>
    cells(name, `[${shape.join(', ')}]`, bytesOf(bytes), mean(meanValue), mean(meanGradient)),
  );
  const gateRows = gates.map(({ gate, inputs, output, forward, backward }) => {
    const call = `${gate} (${inputs.join(', ')})`;
    return cells(gate === output ? call : `${output} = ${call}`, flopsOf(forward), flopsOf(backward));
  });
  const width = io.stdout.columns ?? textWidth(io.stdout);
  return [...tableLines(WIRES, wireRows, paint, width), '', ...tableLines(GATES, gateRows, paint, width)];
}

function cells(...texts: readonly string[]): Row {
  return texts.map((text) => [text]);
}

function flopsOf(count: number): string {
  if (count === 0) return '–';
  const [unit, size] = count >= 1e9 ? ['GFLOP', 1e9] : count >= 1e6 ? ['MFLOP', 1e6] : ['kFLOP', 1e3];
  return `${(count / Number(size)).toPrecision(3)} ${unit}`;
}

function bytesOf(bytes: number): string {
  return bytes < 1e4
    ? `${format.integer(bytes)} B`
    : bytes < 1e5
      ? `${(bytes / 1e3).toFixed(1)} kB`
      : format.megabytes(bytes);
}
