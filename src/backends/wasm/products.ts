import { expectShape, type MatmulOptions, type Precision, ShapeError, type Sink, type Tensor } from '../backend.ts';
import type { Device } from './device.ts';
import { BLOCK_COLUMNS, BLOCK_ROWS, SUMS_BYTES } from './kernels/products/block.ts';
import { PACK_LAYOUT, PACK_PANELS_PER_TASK } from './kernels/products/pack.ts';
import { PEAK_BYTES, PEAK_STEPS, PEAK_TILES } from './kernels/products/peak.ts';
import { QUANTISE_ROWS_PER_TASK } from './kernels/products/quantise.ts';
import { PANEL, STEP_BYTES, tileRows } from './kernels/products/tile.ts';
import { TRANSPOSE_ROWS_PER_TASK } from './kernels/products/transpose.ts';
import { own, type Piece, type Quantised, type WasmTensor } from './tensor.ts';

/** Tasks for each thread that measure the peak: enough that all threads are at work nearly to the end. */
const PEAK_TASKS = 16;

/** Matrix products: brings both operands into the order of the tiles, one in rows and one in panels, and multiplies them.
 *
 *  The images go into panels, and so the weights stay as they are, in rows; ten classes are rows too, and waste no lane. */
export class Products {
  /** Which tiles are used: wide ones are faster where V8 fuses vectors to 256 bits. The bits are the same. */
  isWide = false;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Backend.matmul */
  multiply(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    const left = matrix(a, options.transposeA ?? false);
    const right = matrix(b, !(options.transposeB ?? false));
    if (left.k !== right.k) {
      throw new ShapeError(
        `cannot multiply [${left.count}, ${left.k}] by [${right.k}, ${right.count}]: the inner lengths differ`,
      );
    }
    if (options.bias) expectShape('the bias', options.bias.shape, [right.count]);
    expectShape('the destination', into.tensor.shape, [left.count, right.count]);

    const isInt16 = this.#isPixels(left) || this.#isPixels(right);
    if (isInt16 && this.#isPixels(left) && this.#isPixels(right)) throw new TypeError('a product of pixels by pixels');
    // Pixels go into panels; of two matrices of floats, the one that makes less work.
    const transposed = isInt16 ? this.#isPixels(left) : workOf(right, left) < workOf(left, right);
    const [inRows, inPanels] = transposed ? [right, left] : [left, right];
    const quantised = isInt16 ? this.#quantised(inRows) : undefined;
    const rows = quantised?.target.address ?? this.#inRows(inRows);
    const steps = isInt16 ? Math.ceil(left.k / 2) : left.k;

    const rowBlocks = Math.ceil(inRows.count / BLOCK_ROWS);
    const tasksOf = (blockColumns: number) => rowBlocks * Math.ceil(inPanels.count / blockColumns);
    const blockColumns = BLOCK_COLUMNS.find((width) => tasksOf(width) >= 8 * this.#device.threads) ?? PANEL;
    const panels = this.#inPanels(inPanels, { steps, isInt16, blockColumns, packsHere: rowBlocks === 1 });
    this.#device.run('multiply', tasksOf(blockColumns), {
      a: rows,
      aStride: 4 * steps,
      steps,
      rows: inRows.count,
      columns: inPanels.count,
      blockColumns,
      rowBlocks,
      sums: this.#device.scratch('sums', SUMS_BYTES * this.#device.threads),
      scales: quantised?.scales.address ?? 0,
      transposed: Number(transposed),
      bias: options.bias ? this.#device.address(options.bias) : 0,
      sink: this.#device.writeSink(into),
      isInt16: Number(isInt16),
      isWide: Number(this.isWide),
      ...panels,
    });
  }

  /** A matrix with k along its rows: where it is, or a transposed copy. */
  #inRows({ tensor, count, k, isKFirst }: Matrix): number {
    const source = this.#device.address(tensor);
    if (!isKFirst) return source;
    const target = this.#device.scratch('rows', 4 * count * k);
    this.#device.run('transpose', Math.ceil(k / TRANSPOSE_ROWS_PER_TASK), { source, target, rows: k, columns: count });
    return target;
  }

  /** A matrix in panels; where each panel is needed by one task only, just where that task can make it from. */
  #inPanels(
    { tensor, count, k, isKFirst }: Matrix,
    {
      steps,
      isInt16,
      blockColumns,
      packsHere,
    }: { steps: number; isInt16: boolean; blockColumns: number; packsHere: boolean },
  ) {
    const source = isInt16 ? tensor.storage.address : this.#device.address(tensor);
    const [sourceRows, sourceColumns] = isKFirst ? [k, count] : [count, k];
    const layouts = isInt16
      ? [PACK_LAYOUT.pixelRows, PACK_LAYOUT.pixelColumns]
      : [PACK_LAYOUT.rows, PACK_LAYOUT.columns];
    const layout = isKFirst ? layouts[0] : layouts[1];
    const panelBytes = steps * STEP_BYTES;
    const panelCount = packsHere ? (this.#device.threads * blockColumns) / PANEL : Math.ceil(count / PANEL);
    const panels = this.#device.scratch('panels', panelCount * panelBytes);
    if (packsHere) return { panels, pack: layout, source, sourceRows, sourceColumns };
    const args = { layout, source, rows: sourceRows, columns: sourceColumns, count, steps, panels };
    this.#device.run('pack', Math.ceil(panelCount / PACK_PANELS_PER_TASK), args);
    return { panels, pack: PACK_LAYOUT.none, source, sourceRows, sourceColumns };
  }

  /** A matrix with k along its rows, in int16; made again only if the tensor has changed. */
  #quantised(from: Matrix): Quantised {
    const { count: rows, k: columns } = from;
    const { storage } = from.tensor;
    const [targetBytes, scaleBytes] = [4 * rows * Math.ceil(columns / 2), 4 * rows];
    const kept = (storage.quantised ??= { target: NOTHING, scales: NOTHING, rows: 0, columns: 0, version: -1 });
    if (kept.rows === rows && kept.columns === columns && kept.version === storage.version) return kept;
    if (kept.target.bytes < targetBytes) kept.target = this.#device.allocate(targetBytes);
    if (kept.scales.bytes < scaleBytes) kept.scales = this.#device.allocate(scaleBytes);
    Object.assign(kept, { rows, columns, version: storage.version });
    this.#device.run('quantise', Math.ceil(rows / QUANTISE_ROWS_PER_TASK), {
      source: this.#inRows(from),
      target: kept.target.address,
      scales: kept.scales.address,
      rows,
      columns,
    });
    return kept;
  }

  /** The most rows of a tile, the innermost loop of all products. */
  tileRows(arithmetic: Precision): number {
    return tileRows(arithmetic === 'float32' && this.#device.fma ? 'float32-fma' : arithmetic, this.isWide);
  }

  /** Does about a millisecond of nothing but tiles of so many rows, on all threads, with all operands in the first-level
   *  cache. Whoever times it with the best number of rows learns what no product can exceed.
   *  @returns the operations done, multiplications and additions. */
  runPeak(arithmetic: Precision, rows: number): number {
    const { threads } = this.#device;
    const isInt16 = arithmetic === 'int16';
    const tasks = PEAK_TASKS * threads;
    const a = this.#device.scratch('peak', PEAK_BYTES.a + PEAK_BYTES.panel + PEAK_BYTES.sums * threads);
    const panel = a + PEAK_BYTES.a;
    const sums = panel + PEAK_BYTES.panel;
    this.#device.floats(a, (sums - a) / 4).fill(1);
    this.#device.run('peak', tasks, { rows, a, panel, sums, isInt16: Number(isInt16), isWide: Number(this.isWide) });
    // For each element a step of k is one multiplication and one addition of float32, or two of int16.
    return tasks * PEAK_TILES * rows * PANEL * PEAK_STEPS * (isInt16 ? 4 : 2);
  }

  #isPixels({ tensor }: Matrix): boolean {
    return this.#device.isPixelBytes(tensor.dtype);
  }
}

const NOTHING: Piece = { address: 0, bytes: 0 };

/** An operand of a product: `count` vectors of length k. */
interface Matrix {
  readonly tensor: WasmTensor;
  readonly count: number;
  readonly k: number;
  /** Whether k counts the rows of the tensor, not its columns. */
  readonly isKFirst: boolean;
}

function matrix(tensor: Tensor, isKFirst: boolean): Matrix {
  if (tensor.shape.length !== 2) {
    throw new ShapeError(`a matrix product takes matrices, got a tensor of shape [${tensor.shape.join(', ')}]`);
  }
  const [k, count] = isKFirst ? tensor.shape : tensor.shape.toReversed();
  return { tensor: own(tensor), count, k, isKFirst };
}

/** What a product costs with these operands in rows and in panels, in moved numbers: 16 multiplications cost about as much
 *  as one of these. */
function workOf(inRows: Matrix, inPanels: Matrix): number {
  const columns = Math.ceil(inPanels.count / PANEL) * PANEL;
  const moved = inPanels.count * inPanels.k + (inRows.isKFirst ? inRows.count * inRows.k : 0);
  return (inRows.count * columns * inRows.k) / 16 + moved;
}
