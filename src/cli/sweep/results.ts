import path from 'node:path';
import { EXIT, FileError } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { collectSweep } from '../../report/sweep/collect-sweep.ts';
import type { SweepReport } from '../../report/sweep/sweep-data.ts';
import { writeSweepReport } from '../../report/write.ts';
import { bordersOf } from '../../sweep/plan/borders.ts';
import type { SweepState } from '../../sweep/sweep.ts';
import { csvOf } from '../terminal/csv.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { openInBrowser } from '../terminal/open.ts';
import { ownName } from '../terminal/own-name.ts';
import { borderText, resumeSweep, trainCommand } from './commands.ts';
import { csvTable } from './csv.ts';
import type { SweepOptions } from './options.ts';
import { resultLines } from './text.ts';

export interface ResultsContext {
  /** Folder of the sweep, as given by the user. */
  readonly folder: string;
  readonly isRunning: boolean;
  readonly options: Pick<SweepOptions, 'csv' | 'open' | 'json' | 'quiet' | 'data'>;
  readonly io: Io;
}

/** Prints the results of a sweep, and writes its report. Resolves to the exit code. */
export async function showResults(
  state: SweepState,
  { folder, isRunning, options, io }: ResultsContext,
): Promise<number> {
  const { space } = state.plan.definition;
  const winner = state.ended?.winner;
  const config = winner === undefined || winner === null ? {} : state.plan.trials[winner].config;
  const borders = bordersOf(space, config as Readonly<Record<string, unknown>>).map(borderText);
  const commandFor = (given: object) => trainCommand(ownName(io.env), given, options.data);
  const report = collectSweep(state, {
    folder,
    isRunning,
    commandFor,
    resumeCommand: resumeSweep(folder, io),
    borders,
  });
  const file = path.join(folder, 'report.html');
  // The page of a sweep at work is written at its end.
  const isWritten = !isRunning && (await writePage(file, report, io));
  if (options.json) io.stdout.write(`${JSON.stringify(jsonOf(report))}\n`);
  else io.stdout.write(`${resultLines(report, io, io.stdout.columns).join('\n')}\n`);
  if (isWritten && !options.json) io.stdout.write(`report: ${file}\n`);
  if (options.csv !== undefined) await writeFileAtomic(options.csv, csvOf(...csvTable(report)));
  if (isWritten && options.open) await openInBrowser(io, path.resolve(file));
  return EXIT.done;
}

/** The results are worth more than their page. Resolves to whether it was written. */
async function writePage(file: string, report: SweepReport, io: Io): Promise<boolean> {
  try {
    await writeSweepReport(file, report);
    return true;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    printNote(io, error.message);
    return false;
  }
}

/** These names are a contract. */
function jsonOf({ generator: _, name, state, trials, ...report }: SweepReport) {
  return { sweep: name, status: state, ...report, trials: trials.map(({ curve: __, ...trial }) => trial) };
}
