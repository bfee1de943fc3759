import { call, i32 } from '../../assembler/instructions.ts';
import { kernel, loop } from '../kernel.ts';
import { chooseTiles, PANEL, STEP_BYTES } from './tile.ts';

/** Steps of k of the repeated tile: few enough that its operands, 17 kB, stay in the L1 cache, and enough that the time
 *  before and after the loop does not matter. */
export const PEAK_STEPS = 192;
/** Tiles per task: about 20 to 100 µs. */
export const PEAK_TILES = 64;
const MAX_ROWS = 6;
/** The sizes of the operands, and of the sums of each thread. */
export const PEAK_BYTES = {
  a: 4 * PEAK_STEPS * MAX_ROWS,
  panel: STEP_BYTES * (PEAK_STEPS + 1),
  sums: 4 * PANEL * MAX_ROWS,
} as const;

/** Measures the peak rate of this machine: only the innermost loop of every product. Each task computes a tile of `rows`
 *  rows from the same operands many times; the result is not used. */
export const peak = kernel(
  { rows: 'i32', a: 'i32', panel: 'i32', sums: 'i32', tiles: 'i32', isWide: 'i32' },
  (f, p, { thread, shared }) => {
    const c = f.local('i32', i32.add(p.sums, i32.mul(thread, PEAK_BYTES.sums)));
    chooseTiles(f, p, shared.tiles, (tiles) => {
      for (const [i, tile] of tiles.entries()) {
        f.if(i32.eq(p.rows, i + 1), () =>
          loop(f, 0, PEAK_TILES, () => f.do(call(tile, p.a, 4 * PEAK_STEPS, p.panel, PEAK_STEPS, c, 4 * PANEL, 0))),
        );
      }
    });
  },
);
