import type { Arrangement, Tensor } from '../../backend.ts';
import type { Device } from '../device.ts';
import { PACK_LAYOUT, PACK_PANELS_PER_TASK, pixelRowBytes } from '../kernels/products/pack.ts';
import { QUANTISE_ROWS_PER_TASK } from '../kernels/products/quantise.ts';
import { PANEL, STEP_BYTES } from '../kernels/products/tile.ts';
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
  asInt16Rows(operand: Operand): Rows & { readonly scales: number } {
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
        source: this.asRows(operand).address,
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

  isPixels({ tensor }: Operand): boolean {
    return this.#device.isPixelBytes(tensor.dtype);
  }
}

const EMPTY: MemoryRange = { address: 0, bytes: 0 };
