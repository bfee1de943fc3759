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
  const columnWidth = RATE_WIDTH + SHARE_WIDTH;
  // Without room for a label and a cell, the cells of a row are below its label. Precisions without room are in tables below.
  const between = LABEL_WIDTH + columnWidth > width ? '\n' : '';
  const perTable = Math.floor((width - (between ? 0 : LABEL_WIDTH)) / columnWidth);
  const tables = Array.from({ length: Math.ceil(results.length / perTable) }, (_, i) =>
    resultLines(results.slice(perTable * i, perTable * (i + 1)), paint, between),
  );
  return [
    ...(quiet ? [] : [...settingLines(bench, paint, width), '']),
    ...tables.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines])),
    ...(quiet ? [] : ['', ...footnoteLines(results, width)]),
  ];
}

/** The tables of some precisions, side by side. */
function resultLines(results: readonly BenchResult[], paint: Paint, between: string): string[] {
  const header = (title: string, units: readonly string[], whole = 'of peak') => {
    const columns = units.map((unit) => unit.padStart(RATE_WIDTH) + whole.padStart(SHARE_WIDTH));
    return paint('bold', title.padEnd(between ? 0 : LABEL_WIDTH)) + between + paint('dim', columns.join(''));
  };
  const table = (cellsOf: (result: BenchResult) => readonly Cell[]) => tableLines(results.map(cellsOf), between);
  const unit = (name: string) => results.map(() => name);
  const precisions = results.map(({ precision }) => precision.padStart(RATE_WIDTH + SHARE_WIDTH)).join('');
  const rates = results.map(({ precision }) => (precision === 'float32' ? 'GFLOP/s' : 'Gop/s'));
  const hasParts = results.some(({ parts }) => parts.length > 0);
  return [
    paint('bold', ''.padEnd(between ? 0 : LABEL_WIDTH) + precisions),
    header('products', rates),
    ...table(peakCells),
    ...table(({ products }) => products.map(productCell)),
    '',
    header('training steps', unit('images/s')),
    ...table(({ steps }) => steps.map(stepCell)),
    ...(hasParts ? ['', header('parts of a step', unit('ms'), 'of step')] : []),
    ...table(({ parts }) => parts.map(partCell)),
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
  return Object.entries(peak).map(([arithmetic, rate]) => ({
    label: `peak, ${arithmetic}`,
    rate: giga(rate),
    share: null,
  }));
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
    'Medians of 5 rounds, on random images. A multiplication and an addition count as two operations in every precision.',
  ];
  const integers = results.flatMap(({ precision }) => (precision === 'float32' ? [] : [precision]));
  if (integers.length > 0) {
    texts.push(
      `In the columns ${integers.join(' and ')}, only products with the images X are of integers; the others are float32.`,
    );
  }
  if (results.some(({ peak }) => peak !== null)) {
    texts.push(
      'For a training step, "of peak" is the time that its products would take at the peak rate, divided by the time that the step took.',
    );
  }
  if (results.some(({ parts }) => parts.length > 0)) {
    texts.push(
      '"fast" is the step of --model mlp --recipe fast. Its products with h compute h, too, which does not count as operations. Its parts are measured alone.',
    );
  }
  if (results.some(({ peak }) => peak === null)) {
    texts.push('Plain loops have no peak; sizes that would take seconds are left out.');
  }
  return texts.flatMap((text) => format.wrap(text, width));
}
