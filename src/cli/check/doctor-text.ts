import type { Config } from '../../config/config.ts';
import type { Dataset } from '../../dataset/load.ts';
import { type Finding, number, type Verdict } from '../../doctor/finding.ts';
import { DATASET_LABEL } from '../../images.ts';
import type { Environment } from '../../runs/environment.ts';
import type { Subject } from '../inputs/saved-run.ts';
import * as format from '../terminal/format.ts';
import type { painter, Style } from '../terminal/io.ts';

/** Result of `doctor`. `--json` prints these names; they are a contract. */
export interface DoctorResult {
  readonly model: Config['model'];
  readonly dataset: Dataset['name'];
  /** The run directory; null for a configuration. */
  readonly run: string | null;
  /** The worst verdict of all findings. */
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly seconds: number;
  readonly config: Partial<Config>;
  readonly environment: Environment;
}

type Paint = ReturnType<typeof painter>;

const NAME_WIDTH = 16;
const NARROW_INDENT = 10;
const MARK: Record<Verdict, { readonly sign: string; readonly style: Style }> = {
  ok: { sign: '✓', style: 'green' },
  warning: { sign: '!', style: 'yellow' },
  bad: { sign: '✗', style: 'red' },
};

/** Lines that name the run or configuration and the images. @param width of the terminal, from 40 columns. */
export function headerLines(
  { config, run }: Subject,
  { name, source }: Dataset,
  paint: Paint,
  width: number,
): string[] {
  const what = run
    ? `the run ${run.directory.path}, step ${format.integer(run.checkpoint.progress.step)}`
    : `${config.model}, ${config.loss} loss, ${config.optimizer} at ${number(config.lr)}, batches of ${config.batchSize}`;
  const layout = { indent: width < 80 ? NARROW_INDENT : NAME_WIDTH + 2, width, paint };
  const lines = [
    ...format.labelled('examined', what, layout),
    ...format.labelled('images', `${DATASET_LABEL[name]}, ${source}`, layout),
  ];
  return [...lines, ''];
}

/** One finding: its sign, name, evidence and advice. In a narrow terminal, the evidence is below the name. */
export function findingLines({ name, verdict, evidence, advice }: Finding, paint: Paint, width: number): string[] {
  const { sign, style } = MARK[verdict];
  const isNarrow = width < 80;
  const margin = ' '.repeat(isNarrow ? 2 : NAME_WIDTH + 2);
  const [first, ...others] = wrap(evidence, width - margin.length);
  const title = paint(style, `${sign} ${isNarrow ? name : name.padEnd(NAME_WIDTH)}`);
  const lines = isNarrow ? [title, margin + first] : [title + first];
  lines.push(...others.map((line) => margin + line));
  if (advice === null) return lines;
  const hint = wrap(`${verdict}: ${advice}`, width - margin.length - 2);
  return [...lines, ...hint.map((line, i) => paint(style, `${margin}${i === 0 ? '→ ' : '  '}${line}`))];
}

/** Wraps text, keeping percent signs with their numbers and equations whole. */
function wrap(text: string, width: number): string[] {
  const joined = text.replaceAll(' %', '\u00a0%').replaceAll(' = ', '\u00a0=\u00a0');
  return format.wrap(joined, width).map((line) => line.replaceAll('\u00a0', ' '));
}

export function conclusionLines(
  { findings, seconds, verdict, dataset }: DoctorResult,
  paint: Paint,
  width: number,
): string[] {
  const count = (wanted: Verdict) => findings.filter((finding) => finding.verdict === wanted).length;
  const counts = `${count('ok')} ok, ${format.plural(count('warning'), 'warning')}, ${count('bad')} bad`;
  const standIn = dataset === 'synthetic' ? '; on synthetic images, not CIFAR-10' : '';
  const text = `${paint([MARK[verdict].style, 'bold'] as Style, counts)}, ${format.seconds(seconds)}${standIn}`;
  return format.wrap(text, width);
}
