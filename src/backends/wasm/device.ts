import type { DType, Precision, Sink, Tensor } from '../backend.ts';
import { WORD } from './jobs.ts';
import type { Arguments } from './kernels/kernel.ts';
import { SINK, SINK_BYTES, SINK_KINDS } from './kernels/sink.ts';
import { numbersOf } from './kernels/update-rules.ts';
import type { Memory } from './memory.ts';
import { KERNELS, type KernelName } from './module.ts';
import type { Threads } from './node/threads.ts';
import { own, type Piece, type WasmTensor } from './tensor.ts';

/** What a backend is made of; create.ts puts it together. */
export interface Parts {
  readonly memory: Memory;
  readonly threads: Threads;
  readonly indices: Readonly<Record<KernelName, number>>;
  readonly precision: Precision;
  /** Whether products of floats use fused multiply-add. */
  readonly fma: boolean;
}

/** Memory that an operation needs only while it runs. */
type ScratchName = 'rows' | 'panels' | 'sums' | 'buffer' | 'partial' | 'plan' | 'peak';

/** Memory and threads, and how a kernel is run on them. */
export class Device {
  readonly memory: Memory;
  readonly precision: Precision;
  readonly fma: boolean;
  readonly #threads: Threads;
  readonly #indices: Parts['indices'];
  readonly #scratch = new Map<ScratchName, Piece>();
  readonly #sink: number;

  constructor({ memory, threads, indices, precision, fma }: Parts) {
    this.memory = memory;
    this.precision = precision;
    this.fma = fma;
    this.#threads = threads;
    this.#indices = indices;
    this.#sink = memory.allocate(SINK_BYTES);
  }

  get threads(): number {
    return this.#threads.count;
  }

  close(): void {
    this.#threads.close();
  }

  /** Runs a kernel: its arguments go to memory in the order in which it declares them. */
  run<Name extends KernelName>(name: Name, tasks: number, args: Arguments<(typeof KERNELS)[Name]['parameters']>): void {
    const { words, floats } = this.memory;
    let at = WORD.args >>> 2;
    const parameters: Readonly<Record<string, 'i32' | 'f32'>> = KERNELS[name].parameters;
    const values: Readonly<Record<string, number>> = args;
    for (const parameter in parameters) {
      if (parameters[parameter] === 'i32') words[at++] = values[parameter];
      else floats[at++] = values[parameter];
    }
    this.#threads.run(this.#indices[name], tasks);
  }

  /** Describes a sink in memory; see kernels/sink.ts. */
  writeSink(into: Sink): number {
    const { words, floats } = this.memory;
    const at = (offset: number) => (this.#sink + offset) >>> 2;
    const kind = into.kind === 'update' ? into.rule.kind : into.kind;
    words[at(SINK.kind)] = SINK_KINDS.indexOf(kind);
    words[at(SINK.target)] = this.address(this.changed(into.tensor));
    if (into.kind !== 'update') return this.#sink;
    for (let i = 0; i < 2; i++) {
      const state = into.state[i];
      words[at(SINK.state) + i] = state ? this.address(this.changed(state)) : 0;
    }
    floats.set(numbersOf(into.rule), at(SINK.numbers));
    return this.#sink;
  }

  /** Whether it is kept as bytes p − 128. */
  isPixelBytes(dtype: DType): boolean {
    return dtype === 'pixel' && this.precision === 'int16';
  }

  /** The address of floats. @throws TypeError for labels or pixels, which only products and loadBatch take. */
  address(tensor: Tensor): number {
    const { dtype, storage } = own(tensor);
    if (dtype === 'label' || this.isPixelBytes(dtype))
      throw new TypeError(`the operation takes float32, got a tensor of ${dtype}s`);
    return storage.address;
  }

  /** Says that a tensor is written to. */
  changed(tensor: Tensor): WasmTensor {
    const changed = own(tensor);
    changed.storage.version++;
    return changed;
  }

  /** Floats of the memory, as long as it does not grow. */
  floats(address: number, count: number): Float32Array {
    return this.memory.floats.subarray(address >>> 2, (address >>> 2) + count);
  }

  /** Memory of that name, kept for the next operation that asks for it. */
  scratch(name: ScratchName, bytes: number): number {
    const found = this.#scratch.get(name);
    if (found && found.bytes >= bytes) return found.address;
    const made = this.allocate(bytes);
    this.#scratch.set(name, made);
    return made.address;
  }

  /** Some bytes, all 0, for good. */
  allocate(bytes: number): Piece {
    return { address: this.memory.allocate(bytes), bytes };
  }
}
