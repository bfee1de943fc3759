// Prints a file of `nn-train --json` lines as a table of runs:
//
//   node scripts/results-table.mjs results.jsonl lr weightDecay
//
// The names are the hyperparameters to show. Rows are sorted by validation accuracy: choose a run by it, and the test
// accuracy of the chosen run is an unbiased estimate.
//
//   node scripts/results-table.mjs --has results.jsonl lr=0.01 weightDecay=0
//
// says with its exit code whether the file has a run with these values: 0 if it has, 1 if not.
import { existsSync, readFileSync } from 'node:fs';

const isQuestion = process.argv[2] === '--has';
const [file, ...names] = process.argv.slice(isQuestion ? 3 : 2);
if (!file) {
  console.error('usage: node scripts/results-table.mjs [--has] FILE.jsonl [HYPERPARAMETER…]');
  process.exit(2);
}
const runs = (existsSync(file) || !isQuestion ? readFileSync(file, 'utf8') : '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));
if (isQuestion) process.exit(runs.some(hasAll) ? 0 : 1);

const known = [...new Set(runs.flatMap(({ config }) => Object.keys(config)))];
const unknown = names.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`no run has a hyperparameter ${unknown}; they have ${known.join(', ')}`);
  process.exit(2);
}
const percent = (metrics) => (metrics ? `${(100 * metrics.accuracy).toFixed(2)} %` : '–');
/** Lines of version 0.1.0 have no status. */
const statusOf = ({ status, stopped }) => status ?? stopped?.reason ?? 'finished';
/** A run that stopped before its end comes last. */
const accuracyOf = (run) => (statusOf(run) === 'finished' ? (run.validation?.accuracy ?? 0) : -1);
const header = ['validation', 'test', ...names, 'seed', 'epochs', 'seconds', 'dataset'];
const rows = runs
  .toSorted((a, b) => accuracyOf(b) - accuracyOf(a))
  .map(({ validation, test, config, seed, epochs, seconds, dataset, ...run }) => [
    percent(validation),
    statusOf(run) === 'finished' ? percent(test) : statusOf(run),
    ...names.map((name) => config[name] ?? '–'),
    seed,
    epochs,
    seconds.toFixed(1),
    dataset,
  ]);

const table = [header, ...rows].map((row) => row.map(String));
const widths = header.map((_, column) => Math.max(...table.map((row) => row[column].length)));
for (const row of table) console.log(row.map((cell, column) => cell.padStart(widths[column])).join('  '));

function hasAll({ config }) {
  return names.every((pair) => {
    const [name, value] = pair.split('=');
    return String(config[name]) === value;
  });
}
