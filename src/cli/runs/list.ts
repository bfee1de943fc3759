import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../errors.ts';
import { isFolder, writeFileAtomic } from '../../files.ts';
import { isRun } from '../../runs/find-run.ts';
import { findRuns } from '../../runs/saved/find-runs.ts';
import { type RunSummary, summarise } from '../../runs/saved/summary.ts';
import { renderMessage } from '../inputs/field-names.ts';
import { expectFileName } from '../inputs/option.ts';
import { type Io, painter, printNote } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { tableLines } from '../terminal/table.ts';
import { csvText, jsonOf, tableOf } from './list-text.ts';

export interface ListOptions {
  readonly json?: true;
  readonly csv?: string;
}

/** `nn-train runs [DIR…]`: lists saved runs, the best first. */
export async function runList(folders: readonly string[], options: ListOptions, io: Io): Promise<void> {
  expectFileName('--csv', options.csv, ['.csv']);
  const places = folders.length > 0 ? (await Promise.all(folders.map(findRuns))).flat() : await defaultRuns();
  const runs = (await readRuns(places, io)).sort(byAccuracy);
  noteDifferentImages(runs, io);
  if (options.csv !== undefined) await writeFileAtomic(options.csv, csvText(runs));
  if (options.json) io.stdout.write(`${JSON.stringify({ runs: runs.map(jsonOf) })}\n`);
  else if (runs.length > 0) {
    const { columns, rows } = tableOf(runs);
    io.stdout.write(`${tableLines(columns, rows, painter(io.stdout, io.env), io.stdout.columns).join('\n')}\n`);
  }
  if (runs.length > 0) return;
  const where = folders.length > 0 ? folders.join(', ') : 'runs, nor in sweeps/*/winner';
  printNote(io, `there are no saved runs in ${where}; ${ownName(io.env)} saves one`);
}

/** The runs that training saves by default, and the winners of sweeps. */
async function defaultRuns(): Promise<string[]> {
  const [trained, sweeps] = ['runs', 'sweeps'];
  const names = await readdir(sweeps).catch(() => []);
  const winners = names.sort().map((name) => path.join(sweeps, name, 'winner'));
  const areRuns = await Promise.all(winners.map(isRun));
  const runs = (await isFolder(trained)) ? await findRuns(trained) : [];
  return [...runs, ...winners.filter((_, i) => areRuns[i])];
}

/** Reads the runs, each once. One that cannot be read is left out with a note if there are others. */
async function readRuns(places: readonly string[], io: Io): Promise<RunSummary[]> {
  const unique = [...new Map(places.map((place) => [path.resolve(place), place])).values()];
  const runs: RunSummary[] = [];
  for (const place of unique) {
    try {
      runs.push(await summarise(place));
    } catch (error) {
      if (!(error instanceof UserError) || unique.length === 1) throw error;
      printNote(io, `left out: ${renderMessage(error.text, io.env)}`);
    }
  }
  return runs;
}

/** The highest validation accuracy first; then runs without one, and last those that diverged. */
function byAccuracy(a: RunSummary, b: RunSummary): number {
  const accuracyOf = ({ status, progress }: RunSummary) =>
    status === 'diverged' ? -2 : (progress.lastEpoch?.validation?.accuracy ?? -1);
  return accuracyOf(b) - accuracyOf(a);
}

function noteDifferentImages(runs: readonly RunSummary[], io: Io): void {
  const sets = new Set(runs.map(({ record }) => record.dataset.sha256));
  if (sets.size < 2) return;
  printNote(
    io,
    `these runs were trained on ${sets.size} different sets of images; compare accuracies only within a set`,
  );
}
