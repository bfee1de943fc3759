import type { Precision } from '../../backends/backend.ts';
import type { BackendSpeed, PartSpeed, ProductSpeed, StepSpeed } from '../../bench/benchmark.ts';
import type { StepSize } from '../../bench/sizes.ts';
import type { Environment } from '../../runs/environment.ts';
import * as format from '../terminal/format.ts';
import type { painter } from '../terminal/io.ts';

/** Settings and speed of one backend. `--json` prints these names; they are a contract. */
export interface BenchResult extends Pick<Environment, 'backend' | 'threads' | 'vectorBits' | 'fma'>, BackendSpeed {
  readonly precision: Precision;
  /** Reason for the number of threads. */
  readonly threadsReason: string;
  /** V8 flags that were set. */
  readonly flags: readonly string[];
  /** Differences from the usual settings, with reasons. */
  readonly notes: readonly string[];
}

export interface BenchResults extends Pick<Environment, 'version' | 'node' | 'platform' | 'cpu'> {
  /** Duration of each measurement. */
  readonly seconds: number;
  readonly results: readonly BenchResult[];
}

type Paint = ReturnType<typeof painter>;

/** Cell of the table: a measurement in one precision. */
interface Cell {
  readonly label: string;
  readonly rate: string;
  /** Fraction of the peak rate; null if unknown. */
  readonly share: number | null;
}

const LABEL_WIDTH = 40;
const [RATE_WIDTH, SHARE_WIDTH] = [11, 9];
const INDENT = 9;

/** The results as text. @param width of the terminal, from 40 columns. @param quiet prints the tables only. */
export function benchLines(bench: BenchResults, paint: Paint, width: number, quiet = false): string[] {
  const { results } = bench;
  // Without room for both, the cells of a row are below its label.
  const columnsWidth = results.length * (RATE_WIDTH + SHARE_WIDTH);
  const between = LABEL_WIDTH + columnsWidth > width ? '\n' : '';
  const header = (title: string, units: readonly string[], whole = 'of peak') => {
    const columns = units.map((unit) => unit.padStart(RATE_WIDTH) + whole.padStart(SHARE_WIDTH));
    return paint('bold', title.padEnd(between ? 0 : LABEL_WIDTH)) + between + paint('dim', columns.join(''));
  };
  const partLines = () => [
    header(
      'parts of a step',
      results.map(() => 'ms'),
      'of step',
    ),
    ...tableLines(
      results.map(({ parts }) => parts.map(partCell)),
      between,
    ),
  ];
  const precisions = results.map(({ precision }) => precision.padStart(RATE_WIDTH + SHARE_WIDTH)).join('');
  return [
    ...(quiet ? [] : [...settingLines(bench, paint, width), '']),
    paint('bold', ''.padEnd(between ? 0 : LABEL_WIDTH) + precisions),
    header(
      'products',
      results.map(({ precision }) => (precision === 'int16' ? 'Gop/s' : 'GFLOP/s')),
    ),
    ...tableLines(
      results.map((result) => [...peakCells(result), ...result.products.map(productCell)]),
      between,
    ),
    '',
    header(
      'training steps',
      results.map(() => 'images/s'),
    ),
    ...tableLines(
      results.map(({ steps }) => steps.map(stepCell)),
      between,
    ),
    ...(results.some(({ parts }) => parts.length > 0) ? ['', ...partLines()] : []),
    ...(quiet ? [] : ['', ...footnoteLines(results, width)]),
  ];
}

/** The environment and the settings, with their reasons. */
function settingLines({ version, node, platform, cpu, results }: BenchResults, paint: Paint, width: number): string[] {
  const [{ backend, threads, threadsReason }] = results;
  const rows: [name: string, text: string][] = [
    ['with', `nn-train ${version}, Node ${node}, ${platform}, ${cpu}`],
    ['backend', backend],
    ['threads', `${threads}: ${threadsReason}`],
  ];
  for (const { precision, vectorBits, fma, flags } of results) {
    const vectors =
      vectorBits === 0 ? 'no SIMD' : `${vectorBits}-bit SIMD, ${fma ? 'with' : 'without'} fused multiply-add`;
    const set = flags.length > 0 ? `, V8 flags ${flags.join(' ')}` : '';
    rows.push([precision, `${vectors}${set}`]);
  }
  for (const note of new Set(results.flatMap(({ notes }) => notes))) rows.push(['note', note]);
  return rows.flatMap(([name, text]) => format.labelled(name, text, { indent: INDENT, width, paint }));
}

/** Aligns the cells of all precisions by label, with a dash for a missing cell. */
function tableLines(columns: readonly (readonly Cell[])[], between: string): string[] {
  const labels = new Set(columns.flat().map(({ label }) => label));
  return Array.from(labels, (label) => {
    const cells = columns.map((column) => {
      const { rate = '–', share = null } = column.find((cell) => cell.label === label) ?? {};
      const percent = share === null ? '–' : format.percent(share, 0);
      return rate.padStart(RATE_WIDTH) + percent.padStart(SHARE_WIDTH);
    });
    return `  ${label}`.padEnd(between ? 0 : LABEL_WIDTH) + between + cells.join('');
  });
}

function peakCells({ peak }: BackendSpeed): Cell[] {
  if (peak === null) return [];
  const cell = (arithmetic: Precision, rate: number) => ({
    label: `peak, ${arithmetic}`,
    rate: giga(rate),
    share: null,
  });
  return [...(peak.int16 === null ? [] : [cell('int16', peak.int16)]), cell('float32', peak.float32)];
}

const PRODUCT_LABEL = {
  linear: { logits: 'X Wᵀ', dW: 'dW' },
  mlp: { hidden: 'X W₁ᵀ', dW1: 'dW₁', logits: 'h W₂ᵀ', dhidden: 'dh', dW2: 'dW₂' },
} as const satisfies Record<ProductSpeed['model'], Partial<Record<ProductSpeed['result'], string>>>;

function productCell({ result, groups, m, n, k, operationsPerSecond, share, ...network }: ProductSpeed): Cell {
  const names: Partial<Record<ProductSpeed['result'], string>> = PRODUCT_LABEL[network.model];
  const times = groups > 1 ? `${groups} × ` : '';
  const label = `${nameOf(network)}${names[result]!.padEnd(6)}${times}[${m}, ${k}]·[${k}, ${n}]`;
  return { label, rate: giga(operationsPerSecond), share };
}

function stepCell({ imagesPerSecond, share, ...size }: StepSpeed): Cell {
  return { label: stepLabel(size), rate: format.integer(imagesPerSecond), share };
}

function stepLabel({ hidden, batchSize, ...network }: StepSize): string {
  const width = hidden === null || network.recipe !== 'plain' ? '' : `H = ${hidden}`;
  return `${nameOf(network)}${width.padEnd(10)}batches of ${batchSize}`;
}

const PART_LABEL = {
  images: 'load and crop images',
  units: 'units, multi-bias',
  dunits: 'dh, through the units',
  muon: 'Muon, after the gradient',
} as const satisfies Record<PartSpeed['part'], string>;

function partCell({ part, seconds, share, ...network }: PartSpeed): Cell {
  return { label: `${nameOf(network)}${PART_LABEL[part]}`, rate: (1000 * seconds).toFixed(2), share };
}

/** The model, or the recipe of a two-layer network that is not the plain one. */
function nameOf({ model, recipe }: Pick<StepSize, 'model' | 'recipe'>): string {
  return (recipe === 'plain' ? model : recipe).padEnd(7);
}

function giga(operationsPerSecond: number): string {
  return (operationsPerSecond / 1e9).toFixed(1);
}

function footnoteLines(results: readonly BenchResult[], width: number): string[] {
  const texts = [
    'Medians of 5 rounds, on random images. A multiplication and an addition count as two operations in both precisions.',
  ];
  if (results.some(({ precision }) => precision === 'int16')) {
    texts.push('In the int16 columns, only products with the images X use int16; the others use float32.');
  }
  if (results.some(({ peak }) => peak !== null)) {
    texts.push(
      'For a training step, "of peak" is the time that its products would take at the peak rate, divided by the time that the step took.',
    );
  }
  if (results.some(({ parts }) => parts.length > 0)) {
    texts.push('"fast" is the step of --model mlp --recipe fast. Its parts are measured alone.');
  }
  if (results.some(({ peak }) => peak === null)) {
    texts.push('Plain loops have no peak; sizes that would take seconds are left out.');
  }
  return texts.flatMap((text) => format.wrap(text, width));
}
