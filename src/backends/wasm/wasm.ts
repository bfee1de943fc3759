import {
  type Activation,
  type Backend,
  type BackendInfo,
  type BatchPlan,
  type DType,
  expectShape,
  type ImageSet,
  type MatmulOptions,
  type Precision,
  pixelOf,
  plainImageSet,
  type Shape,
  ShapeError,
  type Sink,
  sizeOf,
  type Tensor,
} from '../backend.ts';
import { WORD } from './jobs.ts';
import { COLUMN_TABLE_BYTES, columnTable, LOAD_IMAGES } from './kernels/images.ts';
import type { Arguments } from './kernels/kernel.ts';
import { BLOCK_COLUMNS, BLOCK_ROWS, SUMS_BYTES } from './kernels/multiply.ts';
import { PACK, PACK_PANELS, pixelRowBytes, QUANTISE_ROWS, TRANSPOSE_ROWS } from './kernels/pack.ts';
import { PEAK_BYTES, PEAK_STEPS, PEAK_TILES } from './kernels/peak.ts';
import { ACTIVATION_CODE, CHUNK, CHUNK_BYTES, SUM_COLUMNS, type TO_SINK } from './kernels/pointwise.ts';
import { SINK, SINK_BYTES, SINK_KIND } from './kernels/sink.ts';
import { PANEL, STEP_BYTES, tileRows } from './kernels/tile.ts';
import type { Memory } from './memory.ts';
import { KERNELS, type KernelName } from './module.ts';
import { own, type Piece, type Quantised, type Storage, WasmTensor } from './tensor.ts';
import type { Threads } from './threads.ts';

/** Groups of four rows that one task of a loss takes, at most. */
const LOSS_GROUPS = 4;
/** Tasks for each thread that measure the peak: enough that all threads are at work nearly to the end. */
const PEAK_TASKS = 16;

/** What a backend is made of; create.ts puts it together. */
export interface Parts {
  readonly memory: Memory;
  readonly threads: Threads;
  readonly indices: Readonly<Record<KernelName, number>>;
  readonly precision: Precision;
  readonly info: BackendInfo;
}

/** Memory that an operation needs only while it runs. */
type ScratchName = 'rows' | 'panels' | 'sums' | 'buffer' | 'partial' | 'plan' | 'peak';

/** SIMD kernels on all threads. Values are float32; where the precision is int16, products with pixels are exact. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly dtype = 'float32';
  readonly precision: Precision;
  readonly info: BackendInfo;
  /** Which tiles are used: wide ones are faster where V8 fuses vectors to 256 bits. The bits are the same. */
  isWide = false;
  readonly #memory: Memory;
  readonly #threads: Threads;
  readonly #indices: Parts['indices'];
  readonly #scratch = new Map<ScratchName, Piece>();
  readonly #imageSets = new WeakMap<Uint8Array, { images: number; labels: number }>();
  readonly #columns: number;
  readonly #sink: number;

  constructor({ memory, threads, indices, precision, info }: Parts) {
    this.precision = precision;
    this.info = info;
    this.#memory = memory;
    this.#threads = threads;
    this.#indices = indices;
    this.#sink = memory.allocate(SINK_BYTES);
    this.#columns = memory.allocate(COLUMN_TABLE_BYTES);
    memory.bytes.set(columnTable(), this.#columns);
  }

  close(): void {
    this.#threads.close();
  }

  allocate(shape: Shape, dtype: DType = 'float32'): Tensor {
    if (dtype === 'float64') throw new TypeError('the wasm backend has no float64; take the reference backend');
    if (dtype === 'pixel' && (shape.length !== 2 || shape[1] % PANEL !== 0)) {
      throw new ShapeError(`pixels are [images, a multiple of ${PANEL}], got the shape [${shape.join(', ')}]`);
    }
    const bytes = this.#isPixelBytes(dtype)
      ? shape[0] * pixelRowBytes(shape[1])
      : sizeOf(shape) * (dtype === 'label' ? 1 : 4);
    return new WasmTensor(shape, dtype, { address: this.#memory.allocate(bytes), version: 0 });
  }

  imageSet(count: number): ImageSet {
    if (!this.#memory.limits.shared) return plainImageSet(count);
    const images = this.#memory.allocate(count * 3072);
    const labels = this.#memory.allocate(count);
    const buffer = this.#memory.wasm.buffer as SharedArrayBuffer;
    const set = { images: new Uint8Array(buffer, images, count * 3072), labels: new Uint8Array(buffer, labels, count) };
    this.#imageSets.set(set.images, { images, labels });
    return set;
  }

  view(tensor: Tensor, rows: number): Tensor {
    return own(tensor).view(rows);
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    const { size, dtype, shape, storage } = this.#changed(tensor);
    expectShape('the array', [values.length], [size]);
    if (dtype === 'pixel') Array.from(values, pixelOf);
    if (this.#isPixelBytes(dtype)) {
      const [rows, columns] = shape;
      for (let row = 0; row < rows; row++) {
        const target = this.#pixelRow(storage, row, columns);
        for (let i = 0; i < columns; i++) target[i] = 64 * values[row * columns + i];
      }
    } else if (dtype === 'label') this.#memory.bytes.set(values, storage.address);
    else this.#memory.floats.set(values, storage.address >>> 2);
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    const { size, dtype, shape, storage } = own(tensor);
    if (dtype === 'label') {
      return Float32Array.from(this.#memory.bytes.subarray(storage.address, storage.address + size));
    }
    if (!this.#isPixelBytes(dtype)) return this.#floats(storage.address, size).slice();
    const [rows, columns] = shape;
    const values = new Float32Array(size);
    for (let row = 0; row < rows; row++) {
      values.set(this.#pixelRow(storage, row, columns), row * columns);
    }
    return values.map((value) => value / 64);
  }

  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void {
    const B = plan.indices.length;
    expectShape('images', images.shape, [B, 3072]);
    expectShape('labels', labels.shape, [B]);
    for (const index of plan.indices) {
      if (index >= source.labels.length) throw new RangeError(`image ${index} of ${source.labels.length}`);
    }
    const set = this.#imageSets.get(source.images) ?? this.#copyIn(source);
    const at = this.#scratchFor('plan', 7 * B);
    // Only now: the views are new ones once the memory has grown.
    const { bytes, words } = this.#memory;
    words.set(plan.indices, at >>> 2);
    const [flip, shiftX, shiftY] = [at + 4 * B, at + 5 * B, at + 6 * B];
    bytes.set(plan.flip, flip);
    bytes.set(plan.shiftX, shiftX);
    bytes.set(plan.shiftY, shiftY);
    const target = this.#changed(images);
    this.#run('loadBatch', Math.ceil(B / LOAD_IMAGES), {
      ...set,
      count: B,
      indices: at,
      flip,
      shiftX,
      shiftY,
      table: this.#columns,
      target: target.storage.address,
      targetLabels: this.#changed(labels).storage.address,
      asPixels: Number(this.#isPixelBytes(target.dtype)),
    });
  }

  matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
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
    const blockColumns = BLOCK_COLUMNS.find((width) => tasksOf(width) >= 8 * this.info.threads) ?? PANEL;
    const panels = this.#inPanels(inPanels, { steps, isInt16, blockColumns, packsHere: rowBlocks === 1 });
    this.#run('multiply', tasksOf(blockColumns), {
      a: rows,
      aStride: 4 * steps,
      steps,
      rows: inRows.count,
      columns: inPanels.count,
      blockColumns,
      rowBlocks,
      sums: this.#scratchFor('sums', SUMS_BYTES * this.info.threads),
      scales: quantised?.scales.address ?? 0,
      transposed: Number(transposed),
      bias: options.bias ? this.#address(options.bias) : 0,
      sink: this.#writeSink(into),
      isInt16: Number(isInt16),
      isWide: Number(this.isWide),
      ...panels,
    });
  }

  sumRows(x: Tensor, into: Sink): void {
    const [rows, columns] = x.shape;
    const address = this.#address(x);
    const sink = this.#toSink([columns], into);
    this.#run('sumRows', Math.ceil(columns / SUM_COLUMNS), { ...sink, x: address, rows });
  }

  add(a: Tensor, b: Tensor, into: Sink): void {
    expectShape('the second term', b.shape, a.shape);
    this.#elementwise('add', a.shape, into, { a: this.#address(a), b: this.#address(b) });
  }

  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void {
    this.#elementwise('scale', x.shape, into, { x: this.#address(x), factor: factor * this.#scalar(by) });
  }

  sumSquares(x: Tensor, factor: number, into: Tensor): void {
    const count = own(x).size;
    const tasks = Math.ceil(count / CHUNK);
    const sums = this.#scratchFor('partial', 4 * tasks);
    this.#run('sumSquares', tasks, { x: this.#address(x), count, sums });
    this.#setScalar(into, factor * this.#total(sums, tasks));
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    expectShape('the result', into.shape, x.shape);
    const count = own(x).size;
    const operands = { kind: ACTIVATION_CODE[kind], x: this.#address(x), target: this.#address(into), count };
    this.#changed(into);
    this.#run('activation', Math.ceil(count / CHUNK), operands);
  }

  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('upstream', upstream.shape, y.shape);
    const operands = { kind: ACTIVATION_CODE[kind], y: this.#address(y), upstream: this.#address(upstream) };
    this.#elementwise('activationDerivative', y.shape, into, operands);
  }

  dropout(x: Tensor, rate: number, key: number, into: Sink): void {
    const threshold = Math.ceil(rate * 2 ** 32);
    this.#elementwise('dropout', x.shape, into, { x: this.#address(x), key, threshold, factor: 1 / (1 - rate) });
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor, labelSmoothing: number, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#rowsOf(logits, labels);
    this.#run('softmaxCrossEntropy', tasks, { ...rows, smoothing: labelSmoothing, losses });
    this.#setScalar(into, this.#total(losses, rows.rows) / rows.rows);
  }

  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    labelSmoothing: number,
    upstream: Tensor,
    into: Sink,
  ): void {
    const { tasks, losses: _, ...rows } = this.#rowsOf(logits, labels);
    const factor = this.#scalar(upstream) / rows.rows;
    const sink = this.#toSink(logits.shape, into, rows.classes);
    this.#run('softmaxCrossEntropyDerivative', tasks, { ...rows, ...sink, smoothing: labelSmoothing, factor });
  }

  hinge(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#rowsOf(logits, labels);
    this.#run('hinge', tasks, { ...rows, losses });
    this.#setScalar(into, this.#total(losses, rows.rows) / rows.rows);
  }

  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: Sink): void {
    const { tasks, losses: _, ...rows } = this.#rowsOf(logits, labels);
    const factor = this.#scalar(upstream) / rows.rows;
    const sink = this.#toSink(logits.shape, into, rows.classes);
    this.#run('hingeDerivative', tasks, { ...rows, ...sink, factor });
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses: hits, ...rows } = this.#rowsOf(logits, labels);
    this.#run('countCorrect', tasks, { ...rows, hits });
    this.#setScalar(into, this.#total(hits, rows.rows));
  }

  deliver(gradient: Tensor, into: Sink): void {
    this.#elementwise('deliver', gradient.shape, into, { x: this.#address(gradient) });
  }

  /** The most rows of a tile, the innermost loop of all products. */
  tileRows(arithmetic: Precision): number {
    return tileRows(arithmetic === 'float32' && this.info.fma ? 'float32-fma' : arithmetic, this.isWide);
  }

  /** Does about a millisecond of nothing but tiles of so many rows, on all threads, with all operands in the first-level
   *  cache. Whoever times it with the best number of rows learns what no product can exceed.
   *  @returns the operations done, multiplications and additions. */
  runPeak(arithmetic: Precision, rows: number): number {
    const { threads } = this.info;
    const isInt16 = arithmetic === 'int16';
    const tasks = PEAK_TASKS * threads;
    const a = this.#scratchFor('peak', PEAK_BYTES.a + PEAK_BYTES.panel + PEAK_BYTES.sums * threads);
    const panel = a + PEAK_BYTES.a;
    const sums = panel + PEAK_BYTES.panel;
    this.#floats(a, (sums - a) / 4).fill(1);
    this.#run('peak', tasks, { rows, a, panel, sums, isInt16: Number(isInt16), isWide: Number(this.isWide) });
    // For each element a step of k is one multiplication and one addition of float32, or two of int16.
    return tasks * PEAK_TILES * rows * PANEL * PEAK_STEPS * (isInt16 ? 4 : 2);
  }

  /** Runs a kernel: its arguments go to memory in the order in which it declares them. */
  #run<Name extends KernelName>(
    name: Name,
    tasks: number,
    args: Arguments<(typeof KERNELS)[Name]['parameters']>,
  ): void {
    const { words, floats } = this.#memory;
    let at = WORD.args >>> 2;
    const parameters: Readonly<Record<string, 'i32' | 'f32'>> = KERNELS[name].parameters;
    const values: Readonly<Record<string, number>> = args;
    for (const parameter in parameters) {
      if (parameters[parameter] === 'i32') words[at++] = values[parameter];
      else floats[at++] = values[parameter];
    }
    this.#threads.run(this.#indices[name], tasks);
  }

  #elementwise<Name extends 'add' | 'scale' | 'deliver' | 'activationDerivative' | 'dropout'>(
    name: Name,
    shape: Shape,
    into: Sink,
    operands: Omit<Arguments<(typeof KERNELS)[Name]['parameters']>, keyof typeof TO_SINK>,
  ): void {
    const sink = this.#toSink(shape, into);
    const args = { ...operands, ...sink } as unknown as Arguments<(typeof KERNELS)[Name]['parameters']>;
    this.#run(name, Math.ceil(sink.count / CHUNK), args);
  }

  /** What a kernel needs that hands its result to a sink. @param least numbers that a thread's buffer has to hold in
   *  groups of four rows. */
  #toSink(shape: Shape, into: Sink, least = 0) {
    expectShape('the destination', into.tensor.shape, shape);
    const bufferBytes = Math.max(CHUNK_BYTES, 16 * least);
    const buffer = this.#scratchFor('buffer', bufferBytes * this.info.threads);
    return { count: sizeOf(shape), buffer, bufferBytes, sink: this.#writeSink(into) };
  }

  /** Describes a sink in memory; see kernels/sink.ts. */
  #writeSink(into: Sink): number {
    const { words, floats } = this.#memory;
    const put = (name: keyof typeof SINK, value: number) => {
      floats[(this.#sink + SINK[name]) >>> 2] = value;
    };
    const target = this.#changed(into.tensor);
    words[(this.#sink + SINK.kind) >>> 2] = SINK_KIND[into.kind === 'update' ? into.rule.kind : into.kind];
    words[(this.#sink + SINK.target) >>> 2] = this.#address(target);
    if (into.kind !== 'update') return this.#sink;
    const { rule, state } = into;
    words[(this.#sink + SINK.state0) >>> 2] = state[0] ? this.#address(this.#changed(state[0])) : 0;
    words[(this.#sink + SINK.state1) >>> 2] = state[1] ? this.#address(this.#changed(state[1])) : 0;
    put('learningRate', rule.learningRate);
    put('weightDecay', rule.weightDecay);
    if (rule.kind === 'sgd') {
      put('momentum', rule.momentum);
      words[(this.#sink + SINK.nesterov) >>> 2] = rule.nesterov ? -1 : 0;
    } else {
      put('beta1', rule.beta1);
      put('rest1', 1 - rule.beta1);
      put('beta2', rule.beta2);
      put('rest2', 1 - rule.beta2);
      put('epsilon', rule.epsilon);
      put('correction1', rule.correction1);
      put('correction2', rule.correction2);
    }
    return this.#sink;
  }

  /** Logits and labels as the kernels of losses.ts take them. */
  #rowsOf(logits: Tensor, labels: Tensor) {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    const [rows, classes] = logits.shape;
    const groups = Math.max(1, Math.min(LOSS_GROUPS, Math.floor(CHUNK / (4 * classes))));
    return {
      logits: this.#address(logits),
      labels: own(labels).storage.address,
      rows,
      classes,
      groups,
      tasks: Math.ceil(rows / (4 * groups)),
      // The kernels write four rows at a time.
      losses: this.#scratchFor('partial', 4 * (rows + 3)),
    };
  }

  /** Whether it is kept as bytes p − 128. */
  #isPixelBytes(dtype: DType): boolean {
    return dtype === 'pixel' && this.precision === 'int16';
  }

  #isPixels({ tensor }: Matrix): boolean {
    return this.#isPixelBytes(tensor.dtype);
  }

  #pixelRow({ address }: Storage, row: number, columns: number): Int8Array {
    return new Int8Array(this.#memory.bytes.buffer, address + row * pixelRowBytes(columns), columns);
  }

  /** The address of floats. @throws TypeError for labels or pixels, which only products and loadBatch take. */
  #address(tensor: Tensor): number {
    const { dtype, storage } = own(tensor);
    if (dtype === 'label' || this.#isPixelBytes(dtype))
      throw new TypeError(`the operation takes float32, got a tensor of ${dtype}s`);
    return storage.address;
  }

  /** Says that a tensor is written to. */
  #changed(tensor: Tensor): WasmTensor {
    const changed = own(tensor);
    changed.storage.version++;
    return changed;
  }

  #floats(address: number, count: number): Float32Array {
    return this.#memory.floats.subarray(address >>> 2, (address >>> 2) + count);
  }

  #scalar(tensor: Tensor): number {
    expectShape('the scalar', tensor.shape, []);
    return this.#memory.floats[this.#address(tensor) >>> 2];
  }

  #setScalar(tensor: Tensor, value: number): void {
    expectShape('the scalar', tensor.shape, []);
    this.#memory.floats[this.#address(this.#changed(tensor)) >>> 2] = value;
  }

  /** The sum of some floats, in float64 and in their order. */
  #total(address: number, count: number): number {
    let sum = 0;
    for (const value of this.#floats(address, count)) sum += value;
    return sum;
  }

  #scratchFor(name: ScratchName, bytes: number): number {
    const found = this.#scratch.get(name);
    if (found && found.bytes >= bytes) return found.address;
    const made = this.#allocate(bytes);
    this.#scratch.set(name, made);
    return made.address;
  }

  /** Copies images in that lie elsewhere. */
  #copyIn(source: ImageSet) {
    const images = this.#memory.allocate(source.images.length);
    const labels = this.#memory.allocate(source.labels.length);
    this.#memory.bytes.set(source.images, images);
    this.#memory.bytes.set(source.labels, labels);
    const copy = { images, labels };
    this.#imageSets.set(source.images, copy);
    return copy;
  }

  /** A matrix with k along its rows: where it is, or a transposed copy. */
  #inRows({ tensor, count, k, isKFirst }: Matrix): number {
    const source = this.#address(tensor);
    if (!isKFirst) return source;
    const target = this.#scratchFor('rows', 4 * count * k);
    this.#run('transpose', Math.ceil(k / TRANSPOSE_ROWS), { source, target, rows: k, columns: count });
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
    const source = isInt16 ? tensor.storage.address : this.#address(tensor);
    const [sourceRows, sourceColumns] = isKFirst ? [k, count] : [count, k];
    const ways = isInt16 ? [PACK.pixelRows, PACK.pixelColumns] : [PACK.rows, PACK.columns];
    const way = isKFirst ? ways[0] : ways[1];
    const panelBytes = steps * STEP_BYTES;
    const panelCount = packsHere ? (this.info.threads * blockColumns) / PANEL : Math.ceil(count / PANEL);
    const panels = this.#scratchFor('panels', panelCount * panelBytes);
    if (packsHere) return { panels, pack: way, source, sourceRows, sourceColumns };
    const args = { way, source, rows: sourceRows, columns: sourceColumns, count, steps, panels };
    this.#run('pack', Math.ceil(panelCount / PACK_PANELS), args);
    return { panels, pack: PACK.none, source, sourceRows, sourceColumns };
  }

  /** A matrix with k along its rows, in int16; made again only if the tensor has changed. */
  #quantised(from: Matrix): Quantised {
    const { count: rows, k: columns } = from;
    const { storage } = from.tensor;
    const [targetBytes, scaleBytes] = [4 * rows * Math.ceil(columns / 2), 4 * rows];
    const kept = (storage.quantised ??= { target: NOTHING, scales: NOTHING, rows: 0, columns: 0, version: -1 });
    if (kept.rows === rows && kept.columns === columns && kept.version === storage.version) return kept;
    if (kept.target.bytes < targetBytes) kept.target = this.#allocate(targetBytes);
    if (kept.scales.bytes < scaleBytes) kept.scales = this.#allocate(scaleBytes);
    Object.assign(kept, { rows, columns, version: storage.version });
    this.#run('quantise', Math.ceil(rows / QUANTISE_ROWS), {
      source: this.#inRows(from),
      target: kept.target.address,
      scales: kept.scales.address,
      rows,
      columns,
    });
    return kept;
  }

  #allocate(bytes: number): Piece {
    return { address: this.#memory.allocate(bytes), bytes };
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
