import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type Config, FIELDS } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import { UsageError } from '../../errors.ts';
import { diagramOf } from '../../explain/explanation-diagram.ts';
import { parseJson } from '../../explain/expression/values.ts';
import { explainGraph, parseUpstream } from '../../explain/graph-explanation.ts';
import { jsonOf } from '../../explain/json.ts';
import type { ExplorerData } from '../../explorer/explorer-data.ts';
import { EXAMPLES } from '../../lecture/examples.ts';
import { flagOf } from '../inputs/field-names.ts';
import { flagsOf } from '../inputs/hyperparameters.ts';
import { expectFileName } from '../inputs/option.ts';
import type { ImageFlags } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { reflow } from '../terminal/help.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { shellWord } from '../terminal/shell.ts';
import { type DrawingFiles, draw, drawPage } from './draw.ts';
import { parseQuestion } from './question.ts';
import { answerLines, notesOn } from './table.ts';

export interface ExplainOptions extends DrawingFiles, ImageFlags {
  readonly list?: true;
  readonly lecture?: true;
  readonly upstream?: string;
  readonly json?: true;
}

/** `nn-train explain [EXAMPLE | EXPRESSION] [name=value …]`: shows a forward and a backward pass gate by gate; with
 *  --model, that of the training graph. */
export async function runExplain(words: readonly string[], command: Command, io: Io): Promise<void> {
  const [what, ...assignments] = words;
  const options = command.opts<ExplainOptions>();
  expectFileName('--svg', options.svg, ['.svg']);
  expectFileName('--html', options.html, ['.html', '.htm']);
  const { model, ...others } = flagsOf(command);
  if (options.lecture) {
    await writeLecture(words, command, io);
    return;
  }
  if (model !== undefined) {
    if (assignments.length > 0) {
      throw new UsageError(`--model takes at most one run directory, got ${words.map(shellWord).join(' ')}`);
    }
    const { runExplainModel } = await import('./model.ts');
    await runExplainModel(what, command, io);
    return;
  }
  const [extra] = Object.keys(others) as (keyof Config)[];
  const [images] = (['data', 'trust'] as const).filter((key) => options[key] !== undefined);
  if (extra !== undefined || images !== undefined) {
    const field: Field | undefined = extra && FIELDS[extra];
    const models = field?.onlyWith?.model ?? FIELDS.model.choices!;
    const additions = models.map((name) => `--model ${name}`).join(' or ');
    throw new UsageError(`${flagOf(extra ?? images)} applies to the graph of a model only; add ${additions}`);
  }
  if (options.list) print(io, exampleLines(io));
  else if (what === undefined) print(io, introductionLines(io));
  else {
    await expectNoRun(what);
    await explainOne(what, assignments, options, io);
  }
}

/** @throws UsageError if the path of a run was given without the option that explains runs. */
async function expectNoRun(what: string): Promise<void> {
  if (!existsSync(what)) return;
  const { readRun } = await import('../../runs/open-run.ts');
  const run = await readRun(what).catch(() => undefined);
  if (run) throw new UsageError(`${what} is a run, not an expression; add --model ${run.record.config.model}`);
}

async function explainOne(
  what: string,
  assignments: readonly string[],
  options: ExplainOptions,
  io: Io,
): Promise<void> {
  const { subject, title, formula, ...question } = await parseQuestion(what, assignments, ownName(io.env));
  const isGiven = options.upstream !== undefined;
  const start = options.upstream !== undefined ? parseJson(options.upstream, '--upstream') : question.upstream;
  const origin = isGiven ? '--upstream' : "the example's upstream gradient";
  const upstream = start === undefined ? undefined : parseUpstream(start, subject.outputs, origin);
  const answer = await explainGraph(subject, upstream);
  const notes = [...question.notes, ...notesOn(answer, upstream !== undefined)];
  const data = { what, values: question.given };
  const page = () => pageOf(isGiven ? { ...data, upstream: start } : data, title);
  await draw(diagramOf(title, answer.explanations), page, options, io);
  if (options.json) {
    print(io, [JSON.stringify({ title, formula: formula ?? null, ...jsonOf(answer), notes })]);
    return;
  }
  const paint = painter(io.stdout, io.env);
  print(io, [
    ...format.wrap(title, io.stdout.columns ?? Infinity).map((line) => paint('bold', line)),
    ...(formula === undefined || formula === title ? [] : statementLines(formula, textWidth(io.stdout))),
    '',
    ...answerLines(answer, paint, io.stdout.columns ?? textWidth(io.stdout)),
    ...notes.flatMap((note) => ['', ...format.wrap(note, textWidth(io.stdout))]),
  ]);
}

/** Writes the page with all examples. @throws UsageError if something else is asked for as well. */
async function writeLecture(words: readonly string[], command: Command, io: Io): Promise<void> {
  const options = command.opts<ExplainOptions>();
  const [other] = command.options.filter(
    (option) =>
      command.getOptionValueSource(option.attributeName()) === 'cli' &&
      !['lecture', 'html', 'open'].includes(option.attributeName()),
  );
  const got = words.length > 0 ? words.map(shellWord).join(' ') : other?.long;
  if (got !== undefined) {
    throw new UsageError(
      `--lecture writes a page with all examples, and takes no expression and only --html and --open; got ${got}`,
    );
  }
  if (options.html === undefined && !options.open) {
    throw new UsageError('--lecture writes a page; name its file with --html FILE, or add --open to look at it');
  }
  const [{ name }] = EXAMPLES;
  await drawPage(() => pageOf({ what: name, values: {}, isLecture: true }, 'Backpropagation'), options, io);
}

async function pageOf(data: Omit<ExplorerData, 'generator'>, title: string): Promise<string> {
  const [{ explorerHtml }, { VERSION }] = await Promise.all([
    import('../../explorer/html.ts'),
    import('../../runs/environment.ts'),
  ]);
  return explorerHtml({ generator: `nn-train ${VERSION}`, ...data }, title);
}

/** Wraps a long formula between statements only. */
function statementLines(formula: string, width: number): string[] {
  const joined = formula.replace(/(?<!;) /g, '\u00a0');
  return format.wrap(joined, width).flatMap((line) => format.wrap(line.replaceAll('\u00a0', ' '), width));
}

const INTRODUCTION =
  'Runs an expression forward and backward and shows every gate: its value, its upstream gradient, its local ' +
  'gradients and their products.';

function introductionLines(io: Io): string[] {
  const paint = painter(io.stdout, io.env);
  const name = ownName(io.env);
  const width = textWidth(io.stdout);
  return [
    ...format.wrap(INTRODUCTION, width),
    '',
    paint('bold', 'An expression of your own'),
    `  ${name} explain "(x+y)*z" x=-2 y=5 z=-4`,
    `  ${name} explain "norm2(W*x)" W=[[0.1,0.5],[-0.3,0.8]] x=[0.2,0.4]`,
    '',
    ...format
      .wrap(`An example of CS231n's lecture 4, such as ${name} explain product`, width)
      .map((line) => paint('bold', line)),
    ...exampleLines(io),
    '',
    ...format.wrap(`For operators, functions and options, see ${name} explain --help.`, width),
  ];
}

function exampleLines(io: Io): string[] {
  const paint = painter(io.stdout, io.env);
  const width = Math.max(...EXAMPLES.map(({ name }) => name.length));
  return EXAMPLES.flatMap(({ name, title }) =>
    reflow(`  ${name.padEnd(width)}  ${title}`, textWidth(io.stdout)).map((line) =>
      line.replace(`  ${name}`, `  ${paint('cyan', name)}`),
    ),
  );
}

function print(io: Io, lines: readonly string[]): void {
  io.stdout.write(`${lines.join('\n')}\n`);
}
