import { sizeOf } from '../../backends/backend.ts';
import { type Config, FIELDS } from '../../config/config.ts';
import { applies } from '../../config/resolve.ts';
import { DATASET_LABEL, IMAGE_BYTES } from '../../images.ts';
import { layoutOf } from '../../models/mlp.ts';
import type { Environment } from '../../runs/environment.ts';
import type { RunEvent, RunResult, RunStarted } from '../../runs/events.ts';
import { isDone } from '../../training/trainer.ts';
import * as format from '../terminal/format.ts';
import { type Io, painter } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { shellWord } from '../terminal/shell.ts';
import { EpochBar } from './epoch-bar.ts';
import { EpochTable } from './epoch-table.ts';

type Paint = ReturnType<typeof painter>;

const INDENT = 7;

/** Prints a run: a header, a line for each epoch, a progress bar within the epoch if stderr is a terminal, and the result;
 *  of a resumed run that is already complete, only the result.
 *
 *  All but the bar goes to stdout, or to stderr if stdout is reserved for JSON. */
export class RunPrinter {
  readonly #io: Io;
  readonly #out: NodeJS.WriteStream;
  readonly #paint: Paint;
  readonly #quiet: boolean;
  readonly #width: number;
  readonly #table: EpochTable;
  readonly #bar: EpochBar;
  #started: RunStarted | undefined;

  constructor(io: Io, options: { json?: boolean; quiet?: boolean; progress: boolean }) {
    this.#io = io;
    this.#out = options.json ? io.stderr : io.stdout;
    this.#paint = painter(this.#out, io.env);
    this.#quiet = options.quiet ?? false;
    // Without a terminal, lines are as long as they are.
    this.#width = this.#out.columns ?? Infinity;
    this.#table = new EpochTable(this.#width);
    this.#bar = new EpochBar(io, options);
  }

  /** @param report path of the report of a finished run, if one was written. */
  show(event: RunEvent, report?: string): void {
    switch (event.type) {
      case 'run-started':
        this.#started = event;
        if (this.#quiet) return;
        if (isDone(event.progress, event.config, event.schedules)) {
          const text = `${event.run} has already finished; to train it further, give it more epochs, such as --epochs ${2 * event.config.epochs}`;
          this.#print(format.wrap(text, this.#width));
        } else {
          this.#print(headerOf(event, this.#paint, this.#width));
          this.#print(['', this.#paint('dim', this.#table.header)]);
        }
        return;
      case 'step':
        this.#bar.draw(event, this.#started!);
        return;
      case 'epoch-ended':
        this.#bar.clear();
        if (!this.#quiet) this.#print(this.#table.row(event.metrics, this.#started!.config.epochs));
        return;
      case 'run-ended':
        this.#print(this.#resultLines(event.result, report));
        return;
      case 'run-stopped':
        // The reason is said on stderr, with what to do next.
        return;
      default:
        event satisfies never;
    }
  }

  /** Removes the bar permanently. */
  close(): void {
    this.#bar.close();
  }

  #print(lines: string | string[]): void {
    this.#out.write(`${[lines].flat().join('\n')}\n`);
  }

  #resultLines({ test, dataset, run, bestEpoch, epochs, seconds }: RunResult, report?: string): string[] {
    const lines: string[] = [];
    const layout = { indent: INDENT, width: this.#width, paint: this.#paint };
    const add = (name: string, text: string) => lines.push(...format.labelled(name, text, layout));
    const accuracy = this.#paint('green', format.percent(test.accuracy));
    add(
      'test',
      `loss ${format.loss(test.loss)}, accuracy ${accuracy}, ` +
        `${epochs < this.#started!.config.epochs ? 'stopped early, ' : ''}${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} in ${format.seconds(seconds)}`,
    );
    if (test.averaged) {
      const { views, accuracy } = test.averaged;
      add('views', `accuracy ${this.#paint('green', format.percent(accuracy))}${format.overViews(views)}`);
    }
    if (bestEpoch !== null && bestEpoch !== epochs) {
      const how = run === null ? '' : `; to test it: ${ownName(this.#io.env)} eval ${shellWord(run)} --weights best`;
      add('best', `epoch ${bestEpoch} by validation accuracy${how}`);
    }
    if (run !== null) add('saved', run);
    if (report !== undefined) add('report', report);
    if (dataset === 'synthetic') lines.push(...format.wrap(format.standInLine(this.#paint), this.#width));
    return this.#quiet ? lines : ['', ...lines];
  }
}

/** What is trained, on what, how and with what. @param seeds of all runs, if there are several, each in a folder of its own. */
export function headerOf(event: RunStarted, paint: Paint, width: number, seeds?: readonly number[]): string[] {
  const { config, dataset, environment, parameters, run, progress } = event;
  const counts = [event.trainImages, event.validationImages, dataset.test.labels.length].map(format.integer);
  const size = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const shapes = joinParts(parameters.map(({ name, shape }) => `${name} [${shape.join(', ')}]`));
  const rows: [string, string[]][] = [
    ...(event.name === null ? [] : [['name', [event.name]] satisfies [string, string[]]]),
    ['data', [`${DATASET_LABEL[dataset.name]}, ${dataset.source}`]],
    ['', [`${counts[0]} training, ${counts[1]} validation and ${counts[2]} test images`]],
    ['model', [`${modelOf(config)} with ${format.integer(size)} parameters:`, ...shapes, ...unitsOf(config)]],
    ['recipe', [config.recipe]],
    ...(event.initFrom
      ? [['init', [`${event.initFrom.weights} weights of ${event.initFrom.run}`]] satisfies [string, string[]]]
      : []),
    ['train', trainingOf(config, event.schedules.at(-1)!.step)],
    ['with', [`nn-train ${environment.version}, ${backendOf(config, environment)}, Node ${environment.node}`]],
    ['seed', [seeds?.join(', ') ?? String(config.seed)]],
    ...(seeds ? [] : [['run', [run ?? 'not saved']] satisfies [string, string[]]]),
  ];
  if (progress.step > 0) {
    rows.push(['from', [`step ${format.integer(progress.step)}, ${progress.lastEpoch?.epoch ?? 0} epochs done`]]);
  }
  const layout = { indent: INDENT, width, paint };
  return rows.flatMap(([name, parts]) =>
    parts.flatMap((part, i) => format.labelled(i === 0 ? name : '', part, layout)),
  );
}

/** Joins parts with commas into lines that fit 80 columns with their label. */
function joinParts(parts: readonly string[]): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const fits = last !== undefined && INDENT + last.length + part.length + 3 <= 80;
    if (fits) lines.pop();
    lines.push(fits ? `${last}, ${part}` : part);
  }
  return lines.map((line, i) => (i < lines.length - 1 ? `${line},` : line));
}

function modelOf({ model, activation, dropout }: Config): string {
  return model === 'linear' ? model : `${model} (${activation}${dropout > 0 ? `, dropout ${dropout}` : ''})`;
}

/** The factors of the number of hidden units, unless it is that of the filters. */
function unitsOf(config: Config): string[] {
  const { fields, thresholds } = layoutOf(config, IMAGE_BYTES);
  const units = fields * config.hidden * thresholds;
  const { model, hidden, receptiveField: side, activation } = config;
  if (model === 'linear' || units === hidden) return [];
  const factors = [
    fields > 1 ? `${fields} fields of ${side} × ${side} pixels` : '',
    `${format.integer(hidden)} filters`,
    thresholds > 1 ? `${thresholds} ${activation === 'crelu' ? 'signs' : 'thresholds'}` : '',
  ];
  return [`${factors.filter(Boolean).join(' × ')} = ${format.integer(units)} hidden units`];
}

function backendOf({ precision }: Config, { backend, threads, vectorBits }: Environment): string {
  const vectors = vectorBits === 0 ? '' : `, ${vectorBits}-bit SIMD`;
  return `${backend} (${precision}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${vectors})`;
}

/** @param step at which the last schedule began. */
function trainingOf(config: Config, step: number): string[] {
  const smoothing =
    config.loss === 'softmax' && config.labelSmoothing > 0 ? `, label smoothing ${config.labelSmoothing}` : '';
  const momentum =
    applies(FIELDS.momentum, config) && config.momentum > 0
      ? `, ${config.nesterov ? 'Nesterov ' : ''}momentum ${config.momentum}`
      : '';
  const headRate = applies(FIELDS.headLr, config) ? ` (biases and output ${config.headLr})` : '';
  const augmentation = [config.flip ? 'flips' : '', config.shift > 0 ? `shifts ±${config.shift}` : ''].filter(Boolean);
  return [
    `${config.loss} loss${smoothing}, batches of ${config.batchSize}${augmentation.map((name) => `, ${name}`).join('')}`,
    `${config.optimizer}${momentum}, weight decay ${config.weightDecay}, ${config.init} init`,
    `lr ${config.lr}${headRate}, ${config.schedule} schedule, warm-up ${Number((100 * config.warmup).toFixed(2))} % of ${config.epochs} epoch${config.epochs === 1 ? '' : 's'}`,
    ...(step === 0
      ? []
      : [`a new schedule from step ${format.integer(step)} to epoch ${config.epochs}, warm-up included`]),
  ];
}
