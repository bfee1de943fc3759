import {
  type DType,
  expectShape,
  type Precision,
  type Shape,
  sizeOf,
  type Tensor,
  type WritingSink,
} from '../backend.ts';
import type { NewtonSchulzMemory, NewtonSchulzName } from '../newton-schulz.ts';
import { OFFSET } from './jobs.ts';
import type { Arguments } from './kernels/kernel.ts';
import { CHUNK_BYTES, SUM_COLUMNS_PER_TASK } from './kernels/pointwise.ts';
import { SINK, SINK_BYTES, SINK_KINDS } from './kernels/sink.ts';
import { numbersOf } from './kernels/update-rules.ts';
import type { Memory } from './memory.ts';
import { KERNELS, type KernelName } from './module.ts';
import type { Threads } from './node/threads.ts';
import { asWasmTensor, canCompute, type Lifetime, type MemoryRange, type Storage, WasmTensor } from './tensor.ts';

/** The parts that create.ts assembles into a device. */
export interface DeviceParts {
  readonly memory: Memory;
  readonly threads: Threads;
  readonly indices: Readonly<Record<KernelName, number>>;
  readonly precision: Precision;
  /** Whether float products use fused multiply-add. */
  readonly fma: boolean;
}

/** Temporary memory of an operation. */
type ScratchName =
  | 'rows'
  | 'panels'
  | 'sums'
  | 'buffer'
  | 'partial'
  | 'plan'
  | 'upstream'
  | 'peak'
  | 'matrices'
  | NewtonSchulzName;

/** Memory and threads, and the means to run a kernel on them. */
export class Device {
  readonly memory: Memory;
  readonly precision: Precision;
  readonly fma: boolean;
  readonly #threads: Threads;
  readonly #indices: DeviceParts['indices'];
  readonly #scratch = new Map<ScratchName, MemoryRange>();
  readonly #sink: number;
  /** That of the tensors allocated from now on. */
  lifetime: Lifetime = { hasEnded: false };

  constructor({ memory, threads, indices, precision, fma }: DeviceParts) {
    this.memory = memory;
    this.precision = precision;
    this.fma = fma;
    this.#threads = threads;
    this.#indices = indices;
    this.#sink = memory.keep(SINK_BYTES);
  }

  get threads(): number {
    return this.#threads.count;
  }

  close(): void {
    this.#threads.close();
  }

  /** Forgets all tensors and temporary memory. @throws UserError if a thread may still use them. */
  reset(): void {
    this.#threads.expectUsable();
    this.lifetime.hasEnded = true;
    this.lifetime = { hasEnded: false };
    this.#scratch.clear();
    this.memory.reset();
  }

  /** Runs a kernel. Its arguments are written to memory in the order in which it declares them. */
  run<Name extends KernelName>(name: Name, tasks: number, args: Arguments<(typeof KERNELS)[Name]['parameters']>): void {
    const { words, floats } = this.memory;
    let at = (this.#threads.base + OFFSET.args) >>> 2;
    const parameters: Readonly<Record<string, 'i32' | 'f32'>> = KERNELS[name].parameters;
    const values: Readonly<Record<string, number>> = args;
    for (const parameter in parameters) {
      if (parameters[parameter] === 'i32') words[at++] = values[parameter];
      else floats[at++] = values[parameter];
    }
    this.#threads.run(this.#indices[name], tasks);
  }

  /** Writes a sink to memory in the layout of kernels/sink.ts, and returns its address. */
  writeSink(into: WritingSink): number {
    const { words, floats } = this.memory;
    const at = (offset: number) => (this.#sink + offset) >>> 2;
    const kind = into.kind === 'update' ? into.rule.kind : into.kind;
    words[at(SINK.kind)] = SINK_KINDS.indexOf(kind);
    // What is added to has to be there.
    if (kind !== 'store') this.address(into.tensor);
    words[at(SINK.target)] = this.address(this.changed(into.tensor));
    if (into.kind !== 'update') return this.#sink;
    for (let i = 0; i < 2; i++) {
      const state = into.state[i];
      words[at(SINK.state) + i] = state ? this.address(this.changed(state)) : 0;
    }
    floats.set(numbersOf(into.rule), at(SINK.numbers));
    return this.#sink;
  }

  /** The arguments of a kernel that sends its result to a sink. @param rowLength the length of the rows that the kernel
   *  buffers in groups of four; 0 if it buffers chunks. */
  sinkArguments(shape: Shape, into: WritingSink, rowLength = 0) {
    expectShape('the destination', into.tensor.shape, shape);
    const bufferBytes = Math.max(CHUNK_BYTES, 16 * rowLength);
    const buffer = this.scratch('buffer', bufferBytes * this.threads);
    return { count: sizeOf(shape), buffer, bufferBytes, sink: this.writeSink(into) };
  }

  /** Sends the sum of the rows of a matrix at an address to a sink. */
  sumRows({ x, rows, columns }: Record<'x' | 'rows' | 'columns', number>, into: WritingSink): void {
    const sink = this.sinkArguments([columns], into);
    this.run('sumRows', Math.ceil(columns / SUM_COLUMNS_PER_TASK), { ...sink, x, rows });
  }

  /** Whether tensors of this dtype are stored as bytes p − 128. */
  isPixelBytes(dtype: DType): boolean {
    return dtype === 'pixel' && this.precision !== 'float32';
  }

  /** The address of a float tensor. @throws TypeError for labels and pixel bytes. */
  address(tensor: Tensor): number {
    return this.storageOf(tensor).address;
  }

  /** The memory of a float tensor, with its values. @throws TypeError as `address` does; Error if they are units whose values
   *  have changed. */
  storageOf(tensor: Tensor): Storage {
    const { dtype, storage } = asWasmTensor(tensor);
    if (dtype === 'label' || this.isPixelBytes(dtype))
      throw new TypeError(`the operation needs a float32 tensor, got one of ${dtype}s`);
    const { deferred } = storage;
    if (deferred && !canCompute(deferred))
      throw new Error('the values of multiBias changed before its units were used');
    deferred?.compute();
    return storage;
  }

  /** Marks a tensor as changed, so that data derived from it is recomputed. */
  changed(tensor: Tensor): WasmTensor {
    const target = asWasmTensor(tensor);
    const { deferred } = target.storage;
    // Only some of the units may change: the others have to be there.
    if (deferred && canCompute(deferred)) deferred.compute();
    target.storage.deferred = undefined;
    target.storage.version++;
    return target;
  }

  /** The value of a scalar tensor. */
  scalar(tensor: Tensor): number {
    expectShape('the scalar', tensor.shape, []);
    return this.memory.floats[this.address(tensor) >>> 2];
  }

  setScalar(tensor: Tensor, value: number): void {
    expectShape('the scalar', tensor.shape, []);
    this.memory.floats[this.address(this.changed(tensor)) >>> 2] = value;
  }

  /** Sum of `count` floats at an address, in float64 and in order. */
  sum(address: number, count: number): number {
    let sum = 0;
    for (const value of this.floats(address, count)) sum += value;
    return sum;
  }

  /** A view of floats in the memory, valid until the memory grows. */
  floats(address: number, count: number): Float32Array {
    return this.memory.floats.subarray(address >>> 2, (address >>> 2) + count);
  }

  /** The address of at least `bytes` bytes of temporary memory, reused by later operations under the same name. */
  scratch(name: ScratchName, bytes: number): number {
    const found = this.#scratch.get(name);
    if (found && found.bytes >= bytes) return found.address;
    const range = this.allocate(bytes);
    this.#scratch.set(name, range);
    return range.address;
  }

  /** A float tensor in temporary memory. */
  scratchTensor(name: ScratchName, shape: Shape): WasmTensor {
    const address = this.scratch(name, 4 * sizeOf(shape));
    return new WasmTensor(shape, 'float32', { address, lifetime: this.lifetime, version: 0 });
  }

  /** Temporary memory of a Newton–Schulz iteration. */
  readonly temporary: NewtonSchulzMemory = {
    allocate: (name, shape) => this.scratchTensor(name, shape),
    read: (tensor) => this.floats(this.address(tensor), sizeOf(tensor.shape)),
    change: (tensor) => this.floats(this.address(this.changed(tensor)), sizeOf(tensor.shape)),
  };

  /** Allocates zeroed memory, until the next reset. */
  allocate(bytes: number): MemoryRange {
    return { address: this.memory.allocate(bytes), bytes };
  }
}
