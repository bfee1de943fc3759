import { sizeOf } from '../../backends/backend.ts';
import type { Config } from '../../config/config.ts';
import type { GateCheck, GradientVerdict } from '../../gradcheck/check-gradients.ts';
import type { CoordinateSlope } from '../../gradcheck/compare.ts';
import type { ModelGradientCheck } from '../../gradcheck/model-gradients.ts';
import { DATASET_LABEL, type DatasetName } from '../../images.ts';
import { l2StrengthOf } from '../../optim/optimizers.ts';
import * as format from '../terminal/format.ts';
import type { painter, Style } from '../terminal/io.ts';
import { type Column, tableLines } from '../terminal/table.ts';

/** Result of `gradcheck`. `--json` prints these names; they are a contract. */
export interface GradcheckResult extends ModelGradientCheck {
  readonly model: Config['model'];
  readonly dataset: DatasetName;
  /** Run directory whose weights were checked; null for the initial weights. */
  readonly run: string | null;
  /** Training step of these weights. */
  readonly step: number;
  readonly images: number;
  readonly seconds: number;
  readonly config: Partial<Config>;
}

type Paint = ReturnType<typeof painter>;

const INDENT = 7;
const MARK: Record<GradientVerdict, { readonly sign: string; readonly style: Style }> = {
  right: { sign: '✓', style: 'green' },
  acceptable: { sign: '✓', style: 'green' },
  suspicious: { sign: '✗', style: 'red' },
  wrong: { sign: '✗', style: 'red' },
  unchecked: { sign: '?', style: 'yellow' },
};

const COLUMNS: readonly Column[] = [
  { header: 'parameter', align: 'left' },
  { header: 'shape', align: 'left', style: 'dim' },
  { header: 'direction', align: 'right' },
  { header: 'coordinate', align: 'right' },
  { header: 'worst at', align: 'left', style: 'dim' },
  { header: 'kinks', align: 'right' },
  { header: 'verdict', align: 'left' },
];

/** The result as text. @param width of the terminal, from 40 columns. */
export function gradcheckLines(result: GradcheckResult, config: Config, paint: Paint, width: number): string[] {
  const { parameters, passed, seconds } = result;
  const rows = parameters.map(({ parameter, shape, direction, coordinate, kinks, verdict }) => [
    [parameter],
    [`[${shape.join(', ')}]`],
    [errorText(direction?.error)],
    [errorText(coordinate?.error)],
    [coordinate ? indicesText(coordinate.index, shape) : ''],
    [String(kinks)],
    [verdictText(verdict, paint)],
  ]);
  const conclusion = passed ? paint('green', `passed: no relative error above 1e-6`) : paint(['red', 'bold'], 'failed');
  return [
    ...headerLines(result, config, paint, width),
    '',
    ...tableLines(COLUMNS, rows, paint, width),
    '',
    ...gateLines(result.gates, paint, width),
    ...faultLines(result, paint, width),
    ...format.wrap(`${conclusion}, ${format.seconds(seconds)}`, width),
  ];
}

function headerLines(
  { run, step, images, dataset, loss, parameters }: GradcheckResult,
  config: Config,
  paint: Paint,
  width: number,
) {
  const size = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const weights =
    run === null ? `at the initial weights, seed ${config.seed}` : `at the weights of ${run}, step ${step}`;
  const rows: [name: string, text: string][] = [
    ['model', `${config.model} with ${format.integer(size)} parameters, ${weights}`],
    ['loss', `${lossText(config)}: ${format.loss(loss)}`],
    ['images', `${images} of ${DATASET_LABEL[dataset]}`],
    ['method', 'central differences in float64, relative errors |a − n| / max(|a|, |n|)'],
  ];
  return rows.flatMap(([name, text]) => format.labelled(name, text, { indent: INDENT, width, paint }));
}

/** Describes the loss that was differentiated. */
function lossText(config: Config): string {
  const { loss, labelSmoothing, model, dropout } = config;
  const l2Strength = l2StrengthOf(config);
  return [
    loss,
    ...(loss === 'softmax' && labelSmoothing > 0 ? [`label smoothing ${labelSmoothing}`] : []),
    ...(model === 'mlp' && dropout > 0 ? [`dropout ${dropout}`] : []),
    ...(l2Strength > 0 ? [`L2 term ${l2Strength}/2·‖W‖²`] : []),
  ].join(', ');
}

function gateLines(gates: readonly GateCheck[], paint: Paint, width: number): string[] {
  const error = ({ relativeError }: GateCheck) => relativeError ?? 0;
  const worst = gates.reduce((a, b) => (error(b) > error(a) ? b : a));
  const text =
    `${gates.length} gradients of single gates, each with a random upstream gradient: ` +
    `worst ${errorText(error(worst))}, ${gateText(worst)}`;
  return format.labelled('gates', text, { indent: INDENT, width, paint });
}

function faultLines({ gates, parameters, passed }: GradcheckResult, paint: Paint, width: number): string[] {
  if (passed) return [];
  const faults = gates.flatMap((gate) => (gate.fault ? [{ gate, fault: gate.fault }] : []));
  if (faults.length > 0) {
    return faults.flatMap(({ gate, fault }) => [
      ...format.wrap(`✗ backward of ${gateText(gate)} is wrong`, width).map((line) => paint('red', line)),
      ...format
        .wrap(`at ${indicesText(fault.index, gate.shape)} ${slopeText(fault)}`, width - 2)
        .map((line) => `  ${line}`),
    ]);
  }
  const unchecked = [...parameters, ...gates].some(({ verdict }) => verdict === 'unchecked');
  const text = unchecked
    ? 'For "unchecked" gradients, kinks or rounding hid every slope: the weights are too small. Check at larger weights ' +
      '(--init he), or at those of a run.'
    : 'Every gate passes on its own, so the fault is in how the graph sums gradients or passes them on (src/engine/).';
  return format.wrap(text, width);
}

function gateText({ gate, output, input }: GateCheck): string {
  return `${gate}${output === gate ? '' : ` '${output}'`}, gradient with respect to ${input}`;
}

function slopeText({ analytic, numeric, error }: CoordinateSlope): string {
  return `backward gives ${number(analytic)}, differences give ${number(numeric)}: relative error ${errorText(error)}`;
}

function number(value: number): string {
  return value === 0 ? '0' : value.toPrecision(8);
}

/** The indices of an element, from its row-major index. */
function indicesText(index: number, shape: readonly number[]): string {
  const indices: number[] = [];
  let rest = index;
  for (const length of shape.toReversed()) {
    indices.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `[${indices.join(', ')}]`;
}

function errorText(error: number | undefined): string {
  if (error === undefined) return '–';
  if (error === 0) return '0';
  return Number.isFinite(error) ? error.toExponential(1) : 'NaN';
}

function verdictText(verdict: GradientVerdict, paint: Paint): string {
  const { sign, style } = MARK[verdict];
  return paint(style, `${sign} ${verdict}`);
}
