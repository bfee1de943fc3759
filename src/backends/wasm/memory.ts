import { UserError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import type { MemoryLimits } from './assembler/assembler.ts';
import { claim, claimAt, countClaimed, isTouched, PAGE, release } from './pages.ts';

const INITIAL_PAGES = 16;
/** 4 GiB, the limit of 32-bit addresses, or 1 GiB if the process may not reserve that much. */
const MAXIMA = [65_536, 16_384] as const;
const ALIGNMENT = 64;
/** The fewest pages to claim at a time. */
const CHUNK_PAGES = 4;

/** A WebAssembly memory, which several backends of a process can share. Page 0 is the table of its pages. */
export interface Space {
  readonly wasm: WebAssembly.Memory;
  readonly limits: MemoryLimits;
}

/** Reserves address space. V8 surrounds a memory of any size with 10 GiB of it if it can, so a process has room for few.
 *  @param shared whether threads can share the memory.
 *  @throws UserError if the process may not reserve so much. */
export function reserve(shared: boolean): Space {
  let cause: unknown;
  for (const maximumPages of MAXIMA) {
    try {
      const wasm = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: maximumPages, shared });
      const table = new Uint8Array(wasm.buffer, 0, maximumPages);
      claimAt(table, 0, 1);
      // The end of the last page would not fit in 32 bits.
      claimAt(table, maximumPages - 1, 1);
      return { wasm, limits: { initialPages: INITIAL_PAGES, maximumPages, shared } };
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

/** The memory of one backend: pages that it claims in a space as it needs them. */
export class Memory {
  readonly space: Space;
  bytes!: Uint8Array;
  words!: Int32Array;
  floats!: Float32Array;
  #table!: Uint8Array;
  readonly #kept = new Arena();
  #temporary = new Arena();

  constructor(space: Space) {
    this.space = space;
    // Another thread may have made it larger; to grow it shows its present size.
    space.wasm.grow(0);
    this.#createViews();
  }

  /** Allocates zeroed bytes, until the next reset, and returns their address. @throws UserError if the memory is full. */
  allocate(bytes: number): number {
    return this.#allocate(this.#temporary, bytes);
  }

  /** The same for bytes that outlive every reset. */
  keep(bytes: number): number {
    return this.#allocate(this.#kept, bytes);
  }

  /** Gives all memory back that has been allocated since the last reset, for this backend or another one. */
  reset(): void {
    for (const { first, count } of this.#temporary.ranges) release(this.#table, first, count);
    this.#temporary = new Arena();
  }

  #allocate(arena: Arena, bytes: number): number {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    if (arena.at + size > arena.end) this.#extend(arena, size);
    const address = arena.at;
    arena.at += size;
    return address;
  }

  /** Makes room for `size` bytes: behind the last page of the arena or, if others have the pages there, elsewhere. */
  #extend(arena: Arena, size: number): void {
    const range = this.#claim(arena, size);
    this.#open(range, size);
    arena.ranges.push(range);
    if (range.first * PAGE !== arena.end) arena.at = range.first * PAGE;
    arena.end = (range.first + range.count) * PAGE;
  }

  #claim(arena: Arena, size: number): Range {
    const pagesOf = (bytes: number) => Math.max(CHUNK_PAGES, Math.ceil(bytes / PAGE));
    const behind = { first: arena.end / PAGE, count: pagesOf(arena.at + size - arena.end) };
    if (claimAt(this.#table, behind.first, behind.count)) return behind;
    const count = pagesOf(size);
    const first = claim(this.#table, count);
    if (first === undefined) throw this.#isFull(size);
    return { first, count };
  }

  /** Makes claimed pages usable: grows the memory to their end, and zeroes those that were used before. */
  #open({ first, count }: Range, size: number): void {
    const { wasm } = this.space;
    const end = first + count;
    if (end * PAGE > this.bytes.length) {
      try {
        wasm.grow(Math.max(0, end - wasm.grow(0)));
      } catch (error) {
        // Other threads grow it at the same time.
        if (wasm.grow(0) < end) {
          release(this.#table, first, count);
          throw this.#isFull(size, error);
        }
      }
      this.#createViews();
    }
    for (let page = first; page < end; page++) {
      if (isTouched(this.#table, page)) this.bytes.fill(0, page * PAGE, (page + 1) * PAGE);
    }
  }

  #isFull(bytes: number, cause?: unknown): UserError {
    const { maximumPages } = this.space.limits;
    const [wanted, used, most] = [bytes, countClaimed(this.#table) * PAGE, maximumPages * PAGE].map(megabytes);
    return new UserError(
      message`out of memory: ${wanted} more are needed, ${used} of at most ${most} are in use; use a smaller ${field('batchSize')} or ${field('hidden')}, or ${field('backend', 'reference')}`,
      undefined,
      { cause },
    );
  }

  #createViews(): void {
    const { wasm, limits } = this.space;
    this.bytes = new Uint8Array(wasm.buffer);
    this.words = new Int32Array(wasm.buffer);
    this.floats = new Float32Array(wasm.buffer);
    this.#table = this.bytes.subarray(0, limits.maximumPages);
  }
}

interface Range {
  readonly first: number;
  readonly count: number;
}

/** Pages of one backend, of which the last ones in a row are handed out from the front. */
class Arena {
  readonly ranges: Range[] = [];
  /** The addresses of the free rest. */
  at = 0;
  end = 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: bytes < 1e6 ? 3 : 0 })} MB`;
}
