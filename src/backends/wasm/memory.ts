import { UserError } from '../../errors.ts';
import { FIRST_FREE } from './jobs.ts';

const PAGE = 65_536;
const INITIAL_PAGES = 16;
/** 4 GiB, all that 32-bit addresses reach; where the process may not reserve so much, a quarter of it. */
const MAXIMA = [65_536, 16_384] as const;
const ALIGNMENT = 64;

/** The one memory that everything lies in, and that all threads see. What is allocated is kept for good. */
export class Memory {
  readonly wasm: WebAssembly.Memory;
  readonly limits: { readonly initialPages: number; readonly maximumPages: number; readonly shared: boolean };
  bytes!: Uint8Array;
  words!: Int32Array;
  floats!: Float32Array;
  #end = FIRST_FREE;

  /** @throws UserError if the process may not reserve the address space. */
  constructor(shared: boolean) {
    const [memory, maximumPages] = reserve(shared);
    this.wasm = memory;
    this.limits = { initialPages: INITIAL_PAGES, maximumPages, shared };
    this.#look();
  }

  /** The address of so many new bytes, all 0. @throws UserError if there is no memory for them. */
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
        `out of memory: ${wanted} more are needed, ${used} of at most ${most} are in use; ` +
          'take a smaller --batch-size or --hidden, or --backend reference',
        undefined,
        { cause: error },
      );
    }
    this.#look();
  }

  #look(): void {
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
    `cannot reserve ${megabytes(MAXIMA.at(-1)! * PAGE)} of address space for the WebAssembly memory; ` +
      'raise the limit of this process (ulimit -v), or take --backend reference',
    undefined,
    { cause },
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: bytes < 1e6 ? 3 : 0 })} MB`;
}
