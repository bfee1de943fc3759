import { UserError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import { HEAP_START } from './jobs.ts';

const PAGE = 65_536;
const INITIAL_PAGES = 16;
/** 4 GiB, the limit of 32-bit addresses, or 1 GiB if the process may not reserve that much. */
const MAXIMA = [65_536, 16_384] as const;
const ALIGNMENT = 64;

/** The WebAssembly memory that holds all tensors, shared by all threads. Allocations are never freed. */
export class Memory {
  readonly wasm: WebAssembly.Memory;
  readonly limits: { readonly initialPages: number; readonly maximumPages: number; readonly shared: boolean };
  bytes!: Uint8Array;
  words!: Int32Array;
  floats!: Float32Array;
  #end = HEAP_START;

  /** @throws UserError if the process may not reserve the address space. */
  constructor(shared: boolean) {
    const [memory, maximumPages] = reserve(shared);
    this.wasm = memory;
    this.limits = { initialPages: INITIAL_PAGES, maximumPages, shared };
    this.#createViews();
  }

  /** Allocates zeroed bytes and returns their address. @throws UserError if the memory is full. */
  allocate(bytes: number): number {
    const address = this.#end;
    const end = address + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const missing = Math.ceil((end - this.bytes.length) / PAGE);
    if (missing > 0) this.#grow(missing, bytes);
    this.#end = end;
    return address;
  }

  #grow(pages: number, bytes: number): void {
    try {
      this.wasm.grow(pages);
    } catch (error) {
      const [wanted, used, most] = [bytes, this.#end, this.limits.maximumPages * PAGE].map(megabytes);
      throw new UserError(
        message`out of memory: ${wanted} more are needed, ${used} of at most ${most} are in use; use a smaller ${field('batchSize')} or ${field('hidden')}, or ${field('backend', 'reference')}`,
        undefined,
        { cause: error },
      );
    }
    this.#createViews();
  }

  #createViews(): void {
    const { buffer } = this.wasm;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
  }
}

function reserve(shared: boolean): [memory: WebAssembly.Memory, maximumPages: number] {
  let cause: unknown;
  for (const maximum of MAXIMA) {
    try {
      return [new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared }), maximum];
    } catch (error) {
      cause = error;
    }
  }
  throw new UserError(
    message`cannot reserve ${megabytes(MAXIMA.at(-1)! * PAGE)} of address space for the WebAssembly memory; raise the limit of this process (ulimit -v), or use ${field('backend', 'reference')}`,
    undefined,
    { cause },
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: bytes < 1e6 ? 3 : 0 })} MB`;
}
