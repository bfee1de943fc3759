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

  const what = run ? `of ${run.directory.path}, step ${format.integer(run.checkpoint.progress.step)}` : 'initial';
  const facts = factsOf(explanation, what, dataset);
  const title = `${config.model}, weights: ${what}`;
  const where = run ? what : 'at its initial weights';
  const page = async () => {
    const [{ networkHtml }, { collectNetwork }, { VERSION }] = await Promise.all([
      import('../../explorer/html.ts'),
      import('../../explorer/network/collect.ts'),
      import('../../runs/environment.ts'),
    ]);
    const about = {
      generator: `nn-train ${VERSION}`,
      title: `${MODEL_NAMES[config.model]} ${where}`,
      facts,
      classes: dataset.classes,
    };
    return networkHtml(await collectNetwork(model, config, explanation, about));
  };
  await draw(modelDiagram(explanation, title), page, options, io);
  backend.close();
  const result = { model: config.model, run: run?.directory.path ?? null, dataset: dataset.name, ...explanation };
  const lines = options.json ? [JSON.stringify(result)] : [...linesOf(explanation, io), '', ...factLines(facts, io)];
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

/** For headings. */
const MODEL_NAMES = { linear: 'Linear classifier', mlp: 'Two-layer network' } as const;

type Facts = readonly (readonly [term: string, text: string])[];

function factsOf(
  { batchSize, flops, memory, hidden, parameters }: ModelExplanation,
  what: string,
  { name }: Dataset,
): Facts {
  const { integer, operations, percent } = format;
  const all = memory.parameters + memory.optimizer + memory.activations + memory.gradients;
  const bytes = (key: keyof typeof memory) => format.memory(memory[key]);
  const dead = hidden && `${integer(hidden.deadUnits)} of ${integer(hidden.units)} units`;
  return [
    ['weights', `${what}; ${integer(parameters)} parameters`],
    ['batch', `${integer(batchSize)} training images of ${DATASET_LABEL[name]}, augmented as in training`],
    ['compute', `${operations(flops.forward)} forward and ${operations(flops.backward)} backward for each step`],
    [
      'memory',
      `${format.memory(all)}: parameters ${bytes('parameters')}, optimiser ${bytes('optimizer')}, ` +
        `activations ${bytes('activations')}, their gradients ${bytes('gradients')}`,
    ],
    ...(hidden
      ? [
          [
            'hidden',
            `${dead} (${percent(hidden.deadUnits / hidden.units)}) are zero for every image of the batch, ` +
              `and ${percent(hidden.zeroShare)} of all activations`,
          ] as const,
        ]
      : []),
  ];
}

/** The facts in the width of the terminal. */
function factLines(facts: Facts, io: Io): string[] {
  const layout = { indent: 9, width: textWidth(io.stdout), paint: (_: unknown, text: string) => text };
  return facts.flatMap(([term, text]) => format.labelled(term, text, layout));
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
  const flops = (count: number) => (count === 0 ? '–' : format.operations(count));
  const wireRows = wires.map(({ name, shape, bytes, meanValue, meanGradient }) =>
    cells(name, `[${shape.join(', ')}]`, format.memory(bytes), mean(meanValue), mean(meanGradient)),
  );
  const gateRows = gates.map(({ gate, inputs, output, forward, backward }) => {
    const call = `${gate} (${inputs.join(', ')})`;
    return cells(gate === output ? call : `${output} = ${call}`, flops(forward), flops(backward));
  });
  const width = io.stdout.columns ?? textWidth(io.stdout);
  return [...tableLines(WIRES, wireRows, paint, width), '', ...tableLines(GATES, gateRows, paint, width)];
}

function cells(...texts: readonly string[]): Row {
  return texts.map((text) => [text]);
}
