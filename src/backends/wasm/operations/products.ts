import {
  expectShape,
  type Groups,
  type MatmulOptions,
  type MultiBiasSink,
  type Precision,
  type Tensor,
  type WritingSink,
} from '../../backend.ts';
import { expectUnits, productShape } from '../../checks.ts';
import { roundingOf } from '../../integers.ts';
import type { Device } from '../device.ts';
import { SUM_ROWS_PER_BLOCK } from '../kernels/pointwise.ts';
import { BLOCK_COLUMNS, blockRows, SQUARE, SUMS_BYTES } from '../kernels/products/block.ts';
import { PEAK_BYTES, PEAK_STEPS, PEAK_TILES } from '../kernels/products/peak.ts';
import { PANEL, TILES, tileRows } from '../kernels/products/tile.ts';
import { BY_UNITS_BYTES, BY_UNITS_COLUMNS_PER_TASK, BY_UNITS_MAX_ROWS } from '../kernels/products/units/by-units.ts';
import {
  FROM_UNITS_BYTES,
  FROM_UNITS_MAX_COLUMNS,
  FROM_UNITS_ROWS_PER_TASK,
} from '../kernels/products/units/from-units.ts';
import { THROUGH_UNITS_BYTES, THROUGH_UNITS_COLUMNS_PER_TASK, UNITS } from '../kernels/products/units/through-units.ts';
import { type DeferredUnits, unitsOf } from '../tensor.ts';
import { formatOf, type Operand, Operands, operandOf, STEP_VALUES, tilesOf } from './operands.ts';

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
  /** Whether precision int8 multiplies bytes, or the same numbers as int16. Both give the same bits. */
  usesBytes = false;
  readonly #device: Device;
  readonly #operands: Operands;

  constructor(device: Device) {
    this.#device = device;
    this.#operands = new Operands(device);
  }

  /** Backend.matmul */
  multiply(a: Tensor, b: Tensor, into: WritingSink, options: MatmulOptions = {}): void {
    expectShape('the destination', into.tensor.shape, productShape(a, b, options, this.#device.precision));
    if (this.#multiplyUnits(a, b, into, options)) return;
    const { groups = ONE_GROUP, symmetric = false } = options;
    const left = operandOf(a, options.transposeA ?? false, groups.count, groups.a);
    const right = operandOf(b, !(options.transposeB ?? false), groups.count, groups.b);
    const isInteger = this.#operands.isPixels(left) || this.#operands.isPixels(right);
    // Pixels are always packed into panels; of two float matrices, the one that costs less.
    const transposed = isInteger
      ? this.#operands.isPixels(left)
      : !symmetric && costOf(right, left) < costOf(left, right);
    const [rowOperand, panelOperand] = transposed ? [right, left] : [left, right];
    const format = formatOf(
      left.k,
      isInteger ? roundingOf(this.#device.precision, options.exact) : 'float32',
      this.usesBytes,
    );

    const rowsOfBlock = symmetric ? SQUARE : blockRows(rowOperand.count);
    const rowBlocks = Math.ceil(rowOperand.count / rowsOfBlock);
    const tasksOf = (blockColumns: number) => rowBlocks * Math.ceil(panelOperand.count / blockColumns);
    const isEnough = (blockColumns: number) => groups.count * tasksOf(blockColumns) >= 8 * this.#device.threads;
    const blockColumns = symmetric ? SQUARE : (BLOCK_COLUMNS.find(isEnough) ?? PANEL);
    const rows = isInteger
      ? this.#operands.asIntegerRows(rowOperand, format)
      : { ...this.#operands.asRows(rowOperand), scales: 0 };
    const panels = this.#operands.asPanels(panelOperand, format, { blockColumns, packInTasks: rowBlocks === 1 });
    const isBeside = groups.into === 'beside';
    const canSkipSink = isInteger
      ? transposed && left.count % 4 === 0 && right.count % 4 === 0
      : !transposed && right.count % PANEL === 0 && !(symmetric && right.count > SQUARE);
    const isInPlace = canSkipSink && into.kind === 'store' && !options.bias;
    this.#device.run('multiply', groups.count * tasksOf(blockColumns), {
      a: rows.address,
      aStride: rows.stride,
      groupA: rows.groupBytes,
      panelBytes: format.panelBytes,
      steps: format.steps,
      blockSteps: format.blockSteps,
      blockTail: format.blockTail,
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
      tiles: TILES[format.tiles],
      isWide: Number(this.isWide),
      ...panels,
    });
  }

  /** Computes a product of units that nothing has computed yet, if there is a kernel that computes them as it goes. */
  #multiplyUnits(a: Tensor, b: Tensor, into: WritingSink, options: MatmulOptions): boolean {
    const { transposeA = false, transposeB = false, groups, symmetric, bias } = options;
    if (groups || symmetric || [a, b].some(({ dtype }) => this.#device.isPixelBytes(dtype))) return false;
    const [left, right] = [unitsOf(a), unitsOf(b)];
    if (left && !right && !transposeA && b.shape[transposeB ? 0 : 1] <= FROM_UNITS_MAX_COLUMNS) {
      this.#multiplyFromUnits(left, b, into, options);
    } else if (right && !left && !transposeB && !bias && a.shape[transposeA ? 1 : 0] <= BY_UNITS_MAX_ROWS) {
      this.#multiplyByUnits(a, right, into, transposeA);
    } else return false;
    return true;
  }

  #multiplyByUnits(a: Tensor, right: DeferredUnits, into: WritingSink, transposeA: boolean): void {
    const { source, bias, values, units } = right;
    const operand = operandOf(a, transposeA, 1, 'stacked');
    const { address, stride } = this.#operands.asRows(operand);
    this.#device.run('multiplyByUnits', units * Math.ceil(values / BY_UNITS_COLUMNS_PER_TASK), {
      a: address,
      aStride: stride,
      rows: operand.count,
      x: source.address,
      unitBias: bias,
      values,
      units,
      steps: operand.k,
      sums: this.#device.scratch('sums', BY_UNITS_BYTES * this.#device.threads),
      sink: this.#device.writeSink(into),
      isWide: Number(this.isWide),
    });
  }

  /** The product of units that are computed as it goes. */
  #multiplyFromUnits(units: DeferredUnits, b: Tensor, into: WritingSink, options: MatmulOptions): void {
    const operand = operandOf(b, !(options.transposeB ?? false), 1, 'stacked');
    const { rows, values } = units;
    const format = formatOf(operand.k, 'float32', false);
    const { panels } = this.#operands.asPanels(operand, format, { blockColumns: PANEL, packInTasks: false });
    this.#device.run('multiplyFromUnits', Math.ceil(rows / FROM_UNITS_ROWS_PER_TASK), {
      x: units.source.address,
      unitBias: units.bias,
      values,
      rows,
      panels,
      steps: format.steps,
      columns: operand.count,
      bias: options.bias ? this.#device.address(options.bias) : 0,
      sums: this.#device.scratch('sums', FROM_UNITS_BYTES * this.#device.threads),
      sink: this.#device.writeSink(into),
      isWide: Number(this.isWide),
    });
  }

  /** Whether `multiplyThroughUnits` computes the product. */
  passesOn(a: Tensor, b: Tensor, { x, tensor: y }: MultiBiasSink, options: MatmulOptions): boolean {
    const { transposeA, transposeB, bias, groups } = options;
    if (!UNITS.includes(y.shape[1] / x.shape[1])) return false;
    return a.dtype === 'float32' && b.dtype === 'float32' && !transposeA && !transposeB && !bias && !groups;
  }

  /** Backend.matmul with a sink through units: the product, their derivative and the sum for their biases in one pass. */
  multiplyThroughUnits(a: Tensor, b: Tensor, { tensor: y, x, bias, into }: MultiBiasSink): void {
    expectShape('the destination', y.shape, productShape(a, b, {}, this.#device.precision));
    const { rows, columns, units } = expectUnits(into.x.tensor.shape, y.shape);
    expectShape('the values', x.shape, into.x.tensor.shape);
    expectShape('the biases', bias.shape, [y.shape[1]]);
    const operand = operandOf(b, true, units, 'beside');
    const format = formatOf(operand.k, 'float32', false);
    const { steps } = format;
    const panels = this.#operands.asPanels(operand, format, { blockColumns: PANEL, packInTasks: false });
    const blocks = Math.ceil(rows / SUM_ROWS_PER_BLOCK);
    const partial = this.#device.scratch('partial', 4 * blocks * y.shape[1]);
    this.#device.run('multiplyThroughUnits', blocks * Math.ceil(columns / THROUGH_UNITS_COLUMNS_PER_TASK), {
      a: this.#device.address(a),
      aStride: 4 * steps,
      panels: panels.panels,
      groupPanels: panels.groupPanels,
      steps,
      rows,
      columns,
      units,
      x: this.#device.address(x),
      bias: this.#device.address(bias),
      sums: this.#device.scratch('sums', THROUGH_UNITS_BYTES * this.#device.threads),
      partial,
      sink: this.#device.writeSink(into.x),
      isWide: Number(this.isWide),
    });
    this.#device.sumRows({ x: partial, rows: blocks, columns: y.shape[1] }, into.bias);
  }

  /** The maximum number of rows of a tile, the innermost loop of all products. */
  tileRows(arithmetic: Precision): number {
    const tiles = tilesOf(arithmetic, this.usesBytes);
    return tileRows(tiles !== 'float' ? tiles : this.#device.fma ? 'float32-fma' : 'float32', this.isWide);
  }

  /** Computes tiles of `rows` rows on all threads for about a millisecond, with all operands in the L1 cache. Its rate at the
   *  best number of rows is an upper limit for every product.
   *  @returns the number of operations: multiplications and additions. */
  runPeak(arithmetic: Precision, rows: number): number {
    const { threads } = this.#device;
    const tiles = tilesOf(arithmetic, this.usesBytes);
    const tasks = PEAK_TASKS * threads;
    const a = this.#device.scratch('peak', PEAK_BYTES.a + PEAK_BYTES.panel + PEAK_BYTES.sums * threads);
    const panel = a + PEAK_BYTES.a;
    const sums = panel + PEAK_BYTES.panel;
    this.#device.floats(a, (sums - a) / 4).fill(1);
    this.#device.run('peak', tasks, { rows, a, panel, sums, tiles: TILES[tiles], isWide: Number(this.isWide) });
    // Each value of a step is a multiplication and an addition.
    return tasks * PEAK_TILES * rows * PANEL * PEAK_STEPS * 2 * STEP_VALUES[tiles];
  }
}

const ONE_GROUP: Groups = { count: 1, a: 'stacked', b: 'stacked', into: 'stacked' };

/** The estimated cost of a product with these operands in rows and in panels. The unit is copying one value, which takes
 *  about as long as 16 multiplications. */
function costOf(rowOperand: Operand, panelOperand: Operand): number {
  const columns = Math.ceil(panelOperand.count / PANEL) * PANEL;
  const copied = panelOperand.count * panelOperand.k + (rowOperand.isKFirst ? rowOperand.count * rowOperand.k : 0);
  return (rowOperand.count * columns * rowOperand.k) / 16 + copied;
}
