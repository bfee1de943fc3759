import type { FunctionHandle } from '../assembler/assembler.ts';
import { call, i32 } from '../assembler/instructions.ts';
import { kernel, loop } from './kernel.ts';
import { PANEL, STEP_BYTES } from './tile.ts';

/** Steps of k of the tile that is computed again and again: few enough that its operands, 17 kB, stay in the first-level
 *  cache, and enough that what comes before and after the loop does not count. */
export const PEAK_STEPS = 192;
/** Tiles of one task: some 20 to 100 µs. */
export const PEAK_TILES = 64;
const MOST_ROWS = 6;
/** What the operands take, and the sums of each thread. */
export const PEAK_BYTES = {
  a: 4 * PEAK_STEPS * MOST_ROWS,
  panel: STEP_BYTES * PEAK_STEPS,
  sums: 4 * PANEL * MOST_ROWS,
} as const;

/** The innermost loop of every product and nothing else, to measure what this machine can do at most: each task computes a
 *  tile of some rows many times, of the same operands. What comes out is of no use. */
export const peak = kernel(
  { rows: 'i32', a: 'i32', panel: 'i32', sums: 'i32', isInt16: 'i32', isWide: 'i32' },
  (f, p, { thread, shared }) => {
    const c = f.local('i32', i32.add(p.sums, i32.mul(thread, PEAK_BYTES.sums)));
    const repeat = (tiles: readonly FunctionHandle[]) => {
      for (const [i, tile] of tiles.entries()) {
        f.if(i32.eq(p.rows, i + 1), () =>
          loop(f, 0, PEAK_TILES, () => f.do(call(tile, p.a, 4 * PEAK_STEPS, p.panel, PEAK_STEPS, c, 4 * PANEL, 0))),
        );
      }
    };
    const choose = ({ wide, narrow }: typeof shared.tiles) =>
      f.if(
        p.isWide,
        () => repeat(wide),
        () => repeat(narrow),
      );
    f.if(
      p.isInt16,
      () => choose(shared.tilesInt16),
      () => choose(shared.tiles),
    );
  },
);
