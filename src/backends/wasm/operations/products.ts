import {
  type Arrangement,
  expectShape,
  type Groups,
  type MatmulOptions,
  type Precision,
  type Sink,
  type Tensor,
} from '../../backend.ts';
import { productShape } from '../../checks.ts';
import type { Device } from '../device.ts';
import { BLOCK_COLUMNS, blockRows, SQUARE, SUMS_BYTES } from '../kernels/products/block.ts';
import { PACK_LAYOUT, PACK_PANELS_PER_TASK, pixelRowBytes } from '../kernels/products/pack.ts';
import { PEAK_BYTES, PEAK_STEPS, PEAK_TILES } from '../kernels/products/peak.ts';
import { QUANTISE_ROWS_PER_TASK } from '../kernels/products/quantise.ts';
import { PANEL, STEP_BYTES, tileRows } from '../kernels/products/tile.ts';
import { TRANSPOSE_ROWS_PER_TASK } from '../kernels/products/transpose.ts';
import { asWasmTensor, type MemoryRange, type WasmTensor } from '../tensor.ts';

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
    const { groups = ONE_GROUP, symmetric = false } = options;
    const left = operandOf(a, options.transposeA ?? false, groups.count, groups.a);
    const right = operandOf(b, !(options.transposeB ?? false), groups.count, groups.b);
    const isInt16 = this.#isPixels(left) || this.#isPixels(right);
    // Pixels are always packed into panels; of two float matrices, the one that costs less.
    const transposed = isInt16 ? this.#isPixels(left) : !symmetric && costOf(right, left) < costOf(left, right);
    const [rowOperand, panelOperand] = transposed ? [right, left] : [left, right];
    const steps = isInt16 ? Math.ceil(left.k / 2) : left.k;

    const rowsOfBlock = symmetric ? SQUARE : blockRows(rowOperand.count);
    const rowBlocks = Math.ceil(rowOperand.count / rowsOfBlock);
    const tasksOf = (blockColumns: number) => rowBlocks * Math.ceil(panelOperand.count / blockColumns);
    const isEnough = (blockColumns: number) => groups.count * tasksOf(blockColumns) >= 8 * this.#device.threads;
    const blockColumns = symmetric ? SQUARE : (BLOCK_COLUMNS.find(isEnough) ?? PANEL);
    const rows = isInt16 ? this.#asInt16Rows(rowOperand) : { ...this.#asRows(rowOperand), scales: 0 };
    const panels = this.#asPanels(panelOperand, { steps, isInt16, blockColumns, packInTasks: rowBlocks === 1 });
    const isBeside = groups.into === 'beside';
    const isAsSummed = !isInt16 && !transposed && !symmetric && !options.bias;
    const isInPlace = isAsSummed && into.kind === 'store' && right.count % PANEL === 0;
    this.#device.run('multiply', groups.count * tasksOf(blockColumns), {
      a: rows.address,
      aStride: rows.stride,
      groupA: rows.groupBytes,
      steps,
      rows: rowOperand.count,
      columns: panelOperand.count,
      blockRows: rowsOfBlock,
      blockColumns,
      rowBlocks,
      groupTasks: tasksOf(blockColumns),
      sums: this.#device.scratch('sums', SUMS_BYTES * this.#device.threads),
      scales: rows.scales,
      groupScales: 4 * rowOperand.count,
      transposed: Number(transposed),
      stride: into.tensor.shape[1],
      groupOrigin: isBeside ? right.count : left.count * right.count,
      bias: options.bias ? this.#device.address(options.bias) : 0,
      groupBias: isBeside ? 4 * right.count : 0,
      sink: this.#device.writeSink(into),
      target: isInPlace ? this.#device.address(into.tensor) : 0,
      symmetric: Number(symmetric),
      isInt16: Number(isInt16),
      isWide: Number(this.isWide),
      ...panels,
    });
  }

  /** A matrix with k along its rows: its own memory, or a transposed copy. */
  #asRows({ tensor, count, k, isKFirst, groups, isBeside, rowLength, groupStart }: Operand): Rows {
    const source = this.#device.address(tensor);
    if (!isKFirst) return { address: source, stride: 4 * rowLength, groupBytes: 4 * groupStart };
    const rows = isBeside ? k : groups * k;
    const target = this.#device.scratch('rows', 4 * rows * rowLength);
    const tasks = Math.ceil(rows / TRANSPOSE_ROWS_PER_TASK);
    this.#device.run('transpose', tasks, { source, target, rows, columns: rowLength });
    return { address: target, stride: 4 * rows, groupBytes: isBeside ? 4 * count * k : 4 * k };
  }

  /** Packs a matrix into panels. With `packInTasks`, only one task needs each panel; it is left to that task to pack it. */
  #asPanels(
    { tensor, count, k, isKFirst, groups, isBeside, rowLength, groupStart }: Operand,
    {
      steps,
      isInt16,
      blockColumns,
      packInTasks,
    }: { steps: number; isInt16: boolean; blockColumns: number; packInTasks: boolean },
  ) {
    const source = isInt16 ? tensor.storage.address : this.#device.address(tensor);
    const sourceStride = isInt16 ? pixelRowBytes(rowLength) : 4 * rowLength;
    const [sourceRows, sourceColumns] = isKFirst ? [k, count] : [count, k];
    const groupSource = isBeside ? groupStart * (isInt16 ? 1 : 4) : sourceRows * sourceStride;
    const layouts = isInt16
      ? [PACK_LAYOUT.pixelRows, PACK_LAYOUT.pixelColumns]
      : [PACK_LAYOUT.rows, PACK_LAYOUT.columns];
    const layout = isKFirst ? layouts[0] : layouts[1];
    const panelBytes = steps * STEP_BYTES;
    const groupPanels = Math.ceil(count / PANEL);
    const panelCount = packInTasks ? (this.#device.threads * blockColumns) / PANEL : groups * groupPanels;
    const panels = this.#device.scratch('panels', panelCount * panelBytes);
    const args = { panels, groupPanels: groupPanels * panelBytes, source, sourceStride, sourceRows, sourceColumns };
    if (packInTasks) return { ...args, groupSource, pack: layout };
    const groupTasks = Math.ceil(groupPanels / PACK_PANELS_PER_TASK);
    this.#device.run('pack', groups * groupTasks, {
      layout,
      source,
      stride: sourceStride,
      rows: sourceRows,
      columns: sourceColumns,
      count,
      steps,
      panels,
      groupBytes: groupSource,
      groupTasks,
    });
    return { ...args, groupSource, pack: PACK_LAYOUT.none };
  }

  /** The matrices of all groups, with k along their rows, rounded to int16; cached until the tensor changes. */
  #asInt16Rows(operand: Operand): Rows & { readonly scales: number } {
    const { k: columns } = operand;
    const rows = operand.groups * operand.count;
    const stride = 4 * Math.ceil(columns / 2);
    const { storage } = operand.tensor;
    const cached = (storage.quantised ??= { values: EMPTY, scales: EMPTY, rows: 0, columns: 0, version: -1 });
    if (cached.rows !== rows || cached.columns !== columns || cached.version !== storage.version) {
      if (cached.values.bytes < stride * rows) cached.values = this.#device.allocate(stride * rows);
      if (cached.scales.bytes < 4 * rows) cached.scales = this.#device.allocate(4 * rows);
      Object.assign(cached, { rows, columns, version: storage.version });
      this.#device.run('quantise', Math.ceil(rows / QUANTISE_ROWS_PER_TASK), {
        source: this.#asRows(operand).address,
        target: cached.values.address,
        scales: cached.scales.address,
        rows,
        columns,
      });
    }
    return {
      address: cached.values.address,
      stride,
      groupBytes: stride * operand.count,
      scales: cached.scales.address,
    };
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

const ONE_GROUP: Groups = { count: 1, a: 'stacked', b: 'stacked', into: 'stacked' };

/** The matrices of all groups, with k along their rows: address of the first, and the distances in bytes from one row and
 *  from one group to the next. */
interface Rows {
  readonly address: number;
  readonly stride: number;
  readonly groupBytes: number;
}

/** An operand of a product: in each group, `count` vectors of length k. */
interface Operand {
  readonly tensor: WasmTensor;
  readonly count: number;
  readonly k: number;
  /** Whether k is the first axis of the tensor rather than the second. */
  readonly isKFirst: boolean;
  readonly groups: number;
  readonly isBeside: boolean;
  /** Elements of a row of the tensor, and from one group to the next. */
  readonly rowLength: number;
  readonly groupStart: number;
}

function operandOf(tensor: Tensor, isKFirst: boolean, groups: number, arrangement: Arrangement): Operand {
  const isBeside = arrangement === 'beside';
  const [, rowLength] = tensor.shape;
  const [rows, columns] = isBeside ? [tensor.shape[0], rowLength / groups] : [tensor.shape[0] / groups, rowLength];
  const [k, count] = isKFirst ? [rows, columns] : [columns, rows];
  const groupStart = isBeside ? columns : rows * columns;
  return { tensor: asWasmTensor(tensor), count, k, isKFirst, groups, isBeside, rowLength, groupStart };
}

/** The estimated cost of a product with these operands in rows and in panels. The unit is copying one value, which takes
 *  about as long as 16 multiplications. */
function costOf(rowOperand: Operand, panelOperand: Operand): number {
  const columns = Math.ceil(panelOperand.count / PANEL) * PANEL;
  const copied = panelOperand.count * panelOperand.k + (rowOperand.isKFirst ? rowOperand.count * rowOperand.k : 0);
  return (rowOperand.count * columns * rowOperand.k) / 16 + copied;
}
