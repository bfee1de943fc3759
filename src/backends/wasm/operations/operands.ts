import type { Arrangement, Precision, Tensor } from '../../backend.ts';
import { INTEGER_FORMATS } from '../../integers.ts';
import type { Device } from '../device.ts';
import { NOT_PACKED, PACK_LAYOUTS, PACK_PANELS_PER_TASK } from '../kernels/products/pack.ts';
import { pixelRowBytes } from '../kernels/products/pack-pixels.ts';
import { QUANTISE_ROWS_PER_TASK } from '../kernels/products/quantise.ts';
import { FLOAT_BLOCK, PANEL, STEP_BYTES, type TILES } from '../kernels/products/tile.ts';
import { TRANSPOSE_ROWS_PER_TASK } from '../kernels/products/transpose.ts';
import { asWasmTensor, type MemoryRange, type WasmTensor } from '../tensor.ts';

/** The matrices of all groups, with k along their rows: address of the first, and the distances in bytes from one row and
 *  from one group to the next. */
export interface Rows {
  readonly address: number;
  readonly stride: number;
  readonly groupBytes: number;
}

/** An operand of a product: in each group, `count` vectors of length k. */
export interface Operand {
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

export function operandOf(tensor: Tensor, isKFirst: boolean, groups: number, arrangement: Arrangement): Operand {
  const isBeside = arrangement === 'beside';
  const [, rowLength] = tensor.shape;
  const [rows, columns] = isBeside ? [tensor.shape[0], rowLength / groups] : [tensor.shape[0] / groups, rowLength];
  const [k, count] = isKFirst ? [rows, columns] : [columns, rows];
  const groupStart = isBeside ? columns : rows * columns;
  return { tensor: asWasmTensor(tensor), count, k, isKFirst, groups, isBeside, rowLength, groupStart };
}

/** How a product is computed: the tiles that do it, and the sizes of what they read. */
export interface Format {
  readonly tiles: keyof typeof TILES;
  /** Steps of k of a panel, and those whose sum is exact or, of floats, the length of panel that fits in the L1 cache. */
  readonly steps: number;
  readonly blockSteps: number;
  /** Bytes of a panel behind each block, and of all of it. */
  readonly blockTail: number;
  readonly panelBytes: number;
  /** The largest integer of a vector that is rounded. */
  readonly limit: number;
}

/** Values of k in a step. */
export const STEP_VALUES = { float: 1, int16: 2, int8: 4 } as const;

/** The tiles that compute a product of pixels in an integer `precision`, or of floats. Without `bytes`, the products of int8 are
 *  computed as those of int16: their sums are the same. */
export function tilesOf(precision: Precision, bytes: boolean): Format['tiles'] {
  if (precision === 'float32') return 'float';
  return precision === 'int8' && bytes ? 'int8' : 'int16';
}

/** The format of a product of vectors of length k; see `tilesOf`. */
export function formatOf(k: number, precision: Precision, bytes: boolean): Format {
  const tiles = tilesOf(precision, bytes);
  const { block, max: limit } = precision === 'float32' ? { block: FLOAT_BLOCK, max: 0 } : INTEGER_FORMATS[precision];
  const [steps, blockSteps] = [k, block].map((values) => Math.ceil(values / STEP_VALUES[tiles]));
  const blockTail = tiles === 'int8' ? STEP_BYTES : 0;
  const panelBytes = steps * STEP_BYTES + Math.ceil(steps / blockSteps) * blockTail;
  return { tiles, steps, blockSteps, blockTail, panelBytes, limit };
}

/** Brings the operands of products into the formats that the tiles read: rows and panels. */
export class Operands {
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
  }

  /** A matrix with k along its rows: its own memory, or a transposed copy. */
  asRows({ tensor, count, k, isKFirst, groups, isBeside, rowLength, groupStart }: Operand): Rows {
    const source = this.#device.address(tensor);
    if (!isKFirst) return { address: source, stride: 4 * rowLength, groupBytes: 4 * groupStart };
    const rows = isBeside ? k : groups * k;
    const target = this.#device.scratch('rows', 4 * rows * rowLength);
    const tasks = Math.ceil(rows / TRANSPOSE_ROWS_PER_TASK);
    this.#device.run('transpose', tasks, { source, target, rows, columns: rowLength });
    return { address: target, stride: 4 * rows, groupBytes: isBeside ? 4 * count * k : 4 * k };
  }

  /** Packs a matrix into panels. With `packInTasks`, only one task needs each panel; it is left to that task to pack it. */
  asPanels(
    { tensor, count, k, isKFirst, groups, isBeside, rowLength, groupStart }: Operand,
    { tiles, panelBytes }: Format,
    { blockColumns, packInTasks }: { blockColumns: number; packInTasks: boolean },
  ) {
    const isInteger = tiles !== 'float';
    const source = isInteger ? tensor.storage.address : this.#device.address(tensor);
    const sourceStride = isInteger ? pixelRowBytes(rowLength) : 4 * rowLength;
    const [sourceRows, sourceColumns] = isKFirst ? [k, count] : [count, k];
    const groupSource = isBeside ? groupStart * (isInteger ? 1 : 4) : sourceRows * sourceStride;
    const layout = PACK_LAYOUTS[tiles][isKFirst ? 'rows' : 'columns'];
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
      panelBytes,
      panels,
      groupBytes: groupSource,
      groupTasks,
    });
    return { ...args, groupSource, pack: NOT_PACKED };
  }

  /** The matrices of all groups, with k along their rows, rounded to integers; cached until the tensor changes. */
  asIntegerRows(operand: Operand, { tiles, steps, limit }: Format): Rows & { readonly scales: number } {
    const { k: columns } = operand;
    const rows = operand.groups * operand.count;
    const stride = 4 * steps;
    const { storage } = operand.tensor;
    const cached = (storage.quantised ??= {
      values: EMPTY,
      scales: EMPTY,
      rows: 0,
      columns: 0,
      limit: 0,
      stride: 0,
      version: -1,
    });
    const wanted = { rows, columns, limit, stride, version: storage.version };
    if (Object.entries(wanted).some(([name, value]) => cached[name as keyof typeof wanted] !== value)) {
      if (cached.values.bytes < stride * rows) cached.values = this.#device.allocate(stride * rows);
      if (cached.scales.bytes < 4 * rows) cached.scales = this.#device.allocate(4 * rows);
      Object.assign(cached, wanted);
      this.#device.run('quantise', Math.ceil(rows / QUANTISE_ROWS_PER_TASK), {
        source: this.asRows(operand).address,
        target: cached.values.address,
        scales: cached.scales.address,
        stride,
        rows,
        columns,
        limit,
        asBytes: Number(tiles === 'int8'),
      });
    }
    return {
      address: cached.values.address,
      stride,
      groupBytes: stride * operand.count,
      scales: cached.scales.address,
    };
  }

  isPixels({ tensor }: Operand): boolean {
    return this.#device.isPixelBytes(tensor.dtype);
  }
}

const EMPTY: MemoryRange = { address: 0, bytes: 0 };
