import { expectShape, type MatmulOptions, type Precision, type Sink, type Tensor } from '../../backend.ts';
import { productShape } from '../../checks.ts';
import type { Device } from '../device.ts';
import { BLOCK_COLUMNS, BLOCK_ROWS, SUMS_BYTES } from '../kernels/products/block.ts';
import { PACK_LAYOUT, PACK_PANELS_PER_TASK } from '../kernels/products/pack.ts';
import { PEAK_BYTES, PEAK_STEPS, PEAK_TILES } from '../kernels/products/peak.ts';
import { QUANTISE_ROWS_PER_TASK } from '../kernels/products/quantise.ts';
import { PANEL, STEP_BYTES, tileRows } from '../kernels/products/tile.ts';
import { TRANSPOSE_ROWS_PER_TASK } from '../kernels/products/transpose.ts';
import { asWasmTensor, type MemoryRange, type Quantised, type WasmTensor } from '../tensor.ts';

/** Tasks per thread of a peak measurement: enough to keep all threads busy almost to the end. */
const PEAK_TASKS = 16;

/** Matrix products: converts one operand to rows and the other to panels, the formats that the tiles read, and multiplies
 *  them.
 *
 *  Images are packed into panels, so that the weights stay in rows and are not copied. The ten classes are rows, too: in a
 *  panel of 16 columns they would leave six unused. */
export class Products {
  /** Whether to use wide tiles, which are faster if V8 fuses vectors to 256 bits. Both kinds give the same bits. */
  isWide = false;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Backend.matmul */
  multiply(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    expectShape('the destination', into.tensor.shape, productShape(a, b, options, this.#device.precision));
    const left = operandOf(a, options.transposeA ?? false);
    const right = operandOf(b, !(options.transposeB ?? false));
    const isInt16 = this.#isPixels(left) || this.#isPixels(right);
    // Pixels are always packed into panels; of two float matrices, the one that costs less.
    const transposed = isInt16 ? this.#isPixels(left) : costOf(right, left) < costOf(left, right);
    const [rowOperand, panelOperand] = transposed ? [right, left] : [left, right];
    const quantised = isInt16 ? this.#asInt16Rows(rowOperand) : undefined;
    const rows = quantised?.values.address ?? this.#asRows(rowOperand);
    const steps = isInt16 ? Math.ceil(left.k / 2) : left.k;

    const rowBlocks = Math.ceil(rowOperand.count / BLOCK_ROWS);
    const tasksOf = (blockColumns: number) => rowBlocks * Math.ceil(panelOperand.count / blockColumns);
    const blockColumns = BLOCK_COLUMNS.find((width) => tasksOf(width) >= 8 * this.#device.threads) ?? PANEL;
    const panels = this.#asPanels(panelOperand, { steps, isInt16, blockColumns, packInTasks: rowBlocks === 1 });
    this.#device.run('multiply', tasksOf(blockColumns), {
      a: rows,
      aStride: 4 * steps,
      steps,
      rows: rowOperand.count,
      columns: panelOperand.count,
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

  /** The address of a matrix with k along its rows: its own, or that of a transposed copy. */
  #asRows({ tensor, count, k, isKFirst }: Operand): number {
    const source = this.#device.address(tensor);
    if (!isKFirst) return source;
    const target = this.#device.scratch('rows', 4 * count * k);
    this.#device.run('transpose', Math.ceil(k / TRANSPOSE_ROWS_PER_TASK), { source, target, rows: k, columns: count });
    return target;
  }

  /** Packs a matrix into panels. With `packInTasks`, only one task needs each panel; it is left to that task to pack it. */
  #asPanels(
    { tensor, count, k, isKFirst }: Operand,
    {
      steps,
      isInt16,
      blockColumns,
      packInTasks,
    }: { steps: number; isInt16: boolean; blockColumns: number; packInTasks: boolean },
  ) {
    const source = isInt16 ? tensor.storage.address : this.#device.address(tensor);
    const [sourceRows, sourceColumns] = isKFirst ? [k, count] : [count, k];
    const layouts = isInt16
      ? [PACK_LAYOUT.pixelRows, PACK_LAYOUT.pixelColumns]
      : [PACK_LAYOUT.rows, PACK_LAYOUT.columns];
    const layout = isKFirst ? layouts[0] : layouts[1];
    const panelBytes = steps * STEP_BYTES;
    const panelCount = packInTasks ? (this.#device.threads * blockColumns) / PANEL : Math.ceil(count / PANEL);
    const panels = this.#device.scratch('panels', panelCount * panelBytes);
    if (packInTasks) return { panels, pack: layout, source, sourceRows, sourceColumns };
    const args = { layout, source, rows: sourceRows, columns: sourceColumns, count, steps, panels };
    this.#device.run('pack', Math.ceil(panelCount / PACK_PANELS_PER_TASK), args);
    return { panels, pack: PACK_LAYOUT.none, source, sourceRows, sourceColumns };
  }

  /** A matrix with k along its rows, rounded to int16; cached until the tensor changes. */
  #asInt16Rows(operand: Operand): Quantised {
    const { count: rows, k: columns } = operand;
    const { storage } = operand.tensor;
    const [valueBytes, scaleBytes] = [4 * rows * Math.ceil(columns / 2), 4 * rows];
    const cached = (storage.quantised ??= { values: EMPTY, scales: EMPTY, rows: 0, columns: 0, version: -1 });
    if (cached.rows === rows && cached.columns === columns && cached.version === storage.version) return cached;
    if (cached.values.bytes < valueBytes) cached.values = this.#device.allocate(valueBytes);
    if (cached.scales.bytes < scaleBytes) cached.scales = this.#device.allocate(scaleBytes);
    Object.assign(cached, { rows, columns, version: storage.version });
    this.#device.run('quantise', Math.ceil(rows / QUANTISE_ROWS_PER_TASK), {
      source: this.#asRows(operand),
      target: cached.values.address,
      scales: cached.scales.address,
      rows,
      columns,
    });
    return cached;
  }

  /** The maximum number of rows of a tile, the innermost loop of all products. */
  tileRows(arithmetic: Precision): number {
    return tileRows(arithmetic === 'float32' && this.#device.fma ? 'float32-fma' : arithmetic, this.isWide);
  }

  /** Computes tiles of `rows` rows on all threads for about a millisecond, with all operands in the L1 cache. Its rate at the
   *  best number of rows is an upper limit for every product.
   *  @returns the number of operations: multiplications and additions. */
  runPeak(arithmetic: Precision, rows: number): number {
    const { threads } = this.#device;
    const isInt16 = arithmetic === 'int16';
    const tasks = PEAK_TASKS * threads;
    const a = this.#device.scratch('peak', PEAK_BYTES.a + PEAK_BYTES.panel + PEAK_BYTES.sums * threads);
    const panel = a + PEAK_BYTES.a;
    const sums = panel + PEAK_BYTES.panel;
    this.#device.floats(a, (sums - a) / 4).fill(1);
    this.#device.run('peak', tasks, { rows, a, panel, sums, isInt16: Number(isInt16), isWide: Number(this.isWide) });
    // Per element, a step of k is one multiplication and one addition of float32, or two of each of int16.
    return tasks * PEAK_TILES * rows * PANEL * PEAK_STEPS * (isInt16 ? 4 : 2);
  }

  #isPixels({ tensor }: Operand): boolean {
    return this.#device.isPixelBytes(tensor.dtype);
  }
}

const EMPTY: MemoryRange = { address: 0, bytes: 0 };

/** An operand of a product: `count` vectors of length k. */
interface Operand {
  readonly tensor: WasmTensor;
  readonly count: number;
  readonly k: number;
  /** Whether k is the first axis of the tensor rather than the second. */
  readonly isKFirst: boolean;
}

function operandOf(tensor: Tensor, isKFirst: boolean): Operand {
  const [k, count] = isKFirst ? tensor.shape : tensor.shape.toReversed();
  return { tensor: asWasmTensor(tensor), count, k, isKFirst };
}

/** The estimated cost of a product with these operands in rows and in panels. The unit is copying one value, which takes
 *  about as long as 16 multiplications. */
function costOf(rowOperand: Operand, panelOperand: Operand): number {
  const columns = Math.ceil(panelOperand.count / PANEL) * PANEL;
  const copied = panelOperand.count * panelOperand.k + (rowOperand.isKFirst ? rowOperand.count * rowOperand.k : 0);
  return (rowOperand.count * columns * rowOperand.k) / 16 + copied;
}
