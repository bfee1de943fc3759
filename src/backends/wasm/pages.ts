// The pages of a memory, which backends on any thread claim and release. A table has one byte for each page.
//
// There are no locks, because a thread may be stopped at any moment. A claim sets the bytes of its pages one by one, in ascending
// order; if another thread was first, it gives up those that it has and looks for others. Of several claims that meet, that
// of the topmost pages always succeeds.

/** Bytes of a page, the unit in which a WebAssembly memory grows. */
export const PAGE = 65_536;

/** A claimed page. */
const CLAIMED = 1;
/** A page that has been claimed before, so that it may hold anything. Others are zero, and take no physical memory. */
const TOUCHED = 2;

/** Claims `count` pages from `first` on. Returns whether all of them were free. */
export function claimAt(table: Uint8Array, first: number, count: number): boolean {
  if (first + count > table.length) return false;
  for (let page = first; page < first + count; page++) {
    if ((Atomics.or(table, page, CLAIMED) & CLAIMED) === 0) continue;
    for (let mine = first; mine < page; mine++) Atomics.and(table, mine, ~CLAIMED);
    return false;
  }
  return true;
}

/** Claims the first `count` free pages in a row, and returns the first of them; undefined if there are none. */
export function claim(table: Uint8Array, count: number): number | undefined {
  for (;;) {
    const first = findFree(table, count);
    if (first === undefined || claimAt(table, first, count)) return first;
  }
}

function findFree(table: Uint8Array, count: number): number | undefined {
  let first = 0;
  for (let page = 0; page < table.length; page++) {
    if (table[page] & CLAIMED) first = page + 1;
    else if (page + 1 - first === count) return first;
  }
  return undefined;
}

/** Releases claimed pages. */
export function release(table: Uint8Array, first: number, count: number): void {
  for (let page = first; page < first + count; page++) Atomics.store(table, page, TOUCHED);
}

/** Whether a page may hold anything but zeros from before it was claimed. */
export function isTouched(table: Uint8Array, page: number): boolean {
  return (table[page] & TOUCHED) !== 0;
}

/** The number of claimed pages. */
export function countClaimed(table: Uint8Array): number {
  return table.reduce((count, state) => count + (state & CLAIMED), 0);
}
