import type { Precision } from '../../backends/backend.ts';
import type { BackendSpeed, ProductSpeed, StepSpeed } from '../../bench/benchmark.ts';
import type { StepSize } from '../../bench/products.ts';
import type { Environment } from '../../runs/environment.ts';
import * as format from '../terminal/format.ts';
import type { painter } from '../terminal/io.ts';

/** One backend: what was chosen, why, and how fast it is. `--json` prints these names; they are a contract. */
export interface BenchResult extends Pick<Environment, 'backend' | 'threads' | 'vectorBits' | 'fma'>, BackendSpeed {
  readonly precision: Precision;
  /** Why there are so many threads. */
  readonly threadsBecause: string;
  /** Flags of V8 that were set. */
  readonly flags: readonly string[];
  /** Why it is not what one might expect. */
  readonly notes: readonly string[];
}

export interface BenchReport extends Pick<Environment, 'version' | 'node' | 'platform' | 'cpu'> {
  /** Time of each measurement. */
  readonly seconds: number;
  readonly results: readonly BenchResult[];
}

type Paint = ReturnType<typeof painter>;

/** A row of one precision's columns. */
interface Cell {
  readonly label: string;
  readonly rate: string;
  /** In parts of the peak. */
  readonly share: number | null;
}

const LABEL_WIDTH = 40;
const [RATE_WIDTH, SHARE_WIDTH] = [11, 9];
const WIDTH = 80;
const INDENT = 9;

/** The report for people, in lines of at most 80 columns. @param quiet leaves out all but the tables. */
export function benchLines(report: BenchReport, paint: Paint, quiet = false): string[] {
  const { results } = report;
  const header = (title: string, units: readonly string[]) => {
    const columns = units.map((unit) => unit.padStart(RATE_WIDTH) + 'of peak'.padStart(SHARE_WIDTH));
    return paint('bold', title.padEnd(LABEL_WIDTH)) + paint('dim', columns.join(''));
  };
  const precisions = results.map(({ precision }) => precision.padStart(RATE_WIDTH + SHARE_WIDTH)).join('');
  return [
    ...(quiet ? [] : [...choicesOf(report, paint), '']),
    paint('bold', ''.padEnd(LABEL_WIDTH) + precisions),
    header(
      'products',
      results.map(({ precision }) => (precision === 'int16' ? 'Gop/s' : 'GFLOP/s')),
    ),
    ...linesOf(results.map((result) => [...peakCells(result), ...result.products.map(productCell)])),
    '',
    header(
      'training steps',
      results.map(() => 'images/s'),
    ),
    ...linesOf(results.map(({ steps }) => steps.map(stepCell))),
    ...(quiet ? [] : ['', ...footnotesOf(results)]),
  ];
}

/** What was chosen, and why. */
function choicesOf({ version, node, platform, cpu, results }: BenchReport, paint: Paint): string[] {
  const [{ backend, threads, threadsBecause }] = results;
  const rows: [name: string, text: string][] = [
    ['with', `nn-train ${version}, Node ${node}, ${platform}, ${cpu}`],
    ['backend', backend],
    ['threads', `${threads}: ${threadsBecause}`],
  ];
  for (const { precision, vectorBits, fma, flags } of results) {
    const vectors =
      vectorBits === 0 ? 'no SIMD' : `${vectorBits}-bit SIMD, ${fma ? 'with' : 'without'} fused multiply-add`;
    const set = flags.length > 0 ? `, V8 flags ${flags.join(' ')}` : '';
    rows.push([precision, `${vectors}${set}`]);
  }
  for (const note of new Set(results.flatMap(({ notes }) => notes))) rows.push(['note', note]);
  return rows.flatMap(([name, text]) =>
    format.wrap(text, WIDTH - INDENT).map((line, i) => paint('bold', (i === 0 ? name : '').padEnd(INDENT)) + line),
  );
}

/** Puts the rows of the same label side by side; a dash where there is none. */
function linesOf(columns: readonly (readonly Cell[])[]): string[] {
  const labels = new Set(columns.flat().map(({ label }) => label));
  return Array.from(labels, (label) => {
    const cells = columns.map((column) => {
      const { rate = '–', share = null } = column.find((cell) => cell.label === label) ?? {};
      const percent = share === null ? '–' : `${Math.round(100 * share)} %`;
      return rate.padStart(RATE_WIDTH) + percent.padStart(SHARE_WIDTH);
    });
    return `  ${label}`.padEnd(LABEL_WIDTH) + cells.join('');
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

function productCell({ model, result, m, n, k, operationsPerSecond, share }: ProductSpeed): Cell {
  const names: Partial<Record<ProductSpeed['result'], string>> = PRODUCT_LABEL[model];
  const label = `${model.padEnd(7)}${names[result]!.padEnd(6)}[${m}, ${k}]·[${k}, ${n}]`;
  return { label, rate: giga(operationsPerSecond), share };
}

function stepCell({ imagesPerSecond, share, ...size }: StepSpeed): Cell {
  return { label: stepLabel(size), rate: format.integer(imagesPerSecond), share };
}

function stepLabel({ model, hidden, batchSize }: StepSize): string {
  return `${model.padEnd(7)}${(hidden === null ? '' : `H = ${hidden}`).padEnd(10)}batches of ${batchSize}`;
}

function giga(operationsPerSecond: number): string {
  return (operationsPerSecond / 1e9).toFixed(1);
}

function footnotesOf(results: readonly BenchResult[]): string[] {
  const texts = [
    'Medians of 5 rounds, on random images. A multiplication and an addition are two operations, of int16 as of float32.',
  ];
  if (results.some(({ precision }) => precision === 'int16')) {
    texts.push('In the columns of int16, only the products with the images X are int16; the others are float32.');
  }
  if (results.some(({ peak }) => peak !== null)) {
    texts.push('Of a step, the share of its peak is that of the time which its products would take at their peak.');
  }
  if (results.some(({ peak }) => peak === null)) {
    texts.push('For plain loops there is no peak, and sizes that would take seconds are left out.');
  }
  return texts.flatMap((text) => format.wrap(text, WIDTH));
}
