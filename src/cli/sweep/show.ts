import { readSweep } from '../../sweep/sweep.ts';
import { expectFileName } from '../inputs/option.ts';
import type { Io } from '../terminal/io.ts';
import type { ShowOptions } from './options.ts';
import { showResults } from './results.ts';

/** `nn-train sweep show`: prints the results so far. Resolves to the exit code. */
export async function runSweepShow(folder: string, options: ShowOptions, io: Io): Promise<number> {
  expectFileName('--csv', options.csv, ['.csv']);
  const { state, isRunning } = await readSweep(folder);
  return showResults(state, { folder, isRunning, options, io });
}
