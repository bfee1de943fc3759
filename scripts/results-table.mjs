// Prints a file of `nn-train --json` lines as a table of runs:
//
//   node scripts/results-table.mjs results.jsonl lr weightDecay
//
// The names are the hyperparameters to show. Rows are sorted by validation accuracy: choose a run by it, and the test
// accuracy of the chosen run is an unbiased estimate.
import { readFileSync } from 'node:fs';

const [file, ...names] = process.argv.slice(2);
if (!file) {
  console.error('usage: node scripts/results-table.mjs FILE.jsonl [HYPERPARAMETER…]');
  process.exit(2);
}
const percent = (metrics) => (metrics ? `${(100 * metrics.accuracy).toFixed(2)} %` : '–');
/** A run that stopped before its end comes last. */
const accuracyOf = ({ validation, stopped }) => (stopped ? -1 : (validation?.accuracy ?? 0));
const header = ['validation', 'test', ...names, 'seed', 'epochs', 'seconds', 'dataset'];
const runs = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
  .sort((a, b) => accuracyOf(b) - accuracyOf(a));
const rows = runs.map(({ validation, test, config, seed, epochs, seconds, dataset, stopped }) => [
  percent(validation),
  stopped?.reason ?? percent(test),
  ...names.map((name) => config[name] ?? '–'),
  seed,
  epochs,
  seconds.toFixed(1),
  dataset,
]);

const table = [header, ...rows].map((row) => row.map(String));
const widths = header.map((_, column) => Math.max(...table.map((row) => row[column].length)));
for (const row of table) console.log(row.map((cell, column) => cell.padStart(widths[column])).join('  '));
