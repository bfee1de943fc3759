import { type Config, FIELD_LIST } from '../../config/config.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import type { RunSummary } from '../../runs/saved/summary.ts';
import type { Metrics } from '../../training/evaluate.ts';
import { type CsvValue, csvOf } from '../terminal/csv.ts';
import * as format from '../terminal/format.ts';
import type { Column, Row } from '../terminal/table.ts';

const NONE = '–';
/** Hyperparameters but for the choice of the images: which ones it led to is told instead. */
const KEYS = FIELD_LIST.map(([key]) => key).filter((key) => key !== 'dataset');

/** What --json prints of a run. These names are a contract. */
export function jsonOf({ directory, record, status, progress, test, seconds, saved }: RunSummary) {
  return {
    run: directory.path,
    name: record.name ?? null,
    status,
    model: record.config.model,
    dataset: record.dataset.name,
    seed: record.config.seed,
    epochs: progress.lastEpoch?.epoch ?? 0,
    bestEpoch: progress.best?.epoch ?? null,
    train: progress.lastEpoch?.train ?? null,
    validation: progress.lastEpoch?.validation ?? null,
    test,
    seconds,
    saved: saved.toISOString(),
    config: effectiveConfig(record.config),
  };
}

/** Contents of the file of --csv: a line per run with every hyperparameter, so that the columns are the same for any runs. */
export function csvText(runs: readonly RunSummary[]): string {
  const first = ['run', 'name', 'status', 'dataset', 'epochs', 'bestEpoch'] as const;
  const metrics = ['validation', 'test', 'train'] as const;
  const last = ['seconds', 'saved'] as const;
  // Those that are done are a column already.
  const keys = KEYS.filter((key) => key !== 'epochs');
  const header = [...first, ...metrics.flatMap((name) => [`${name}Accuracy`, `${name}Loss`]), ...last, ...keys];
  const lines = runs
    .map(jsonOf)
    .map((run): CsvValue[] => [
      ...first.map((key) => run[key]),
      ...metrics.flatMap((key) => [run[key]?.accuracy, run[key]?.loss]),
      ...last.map((key) => run[key]),
      ...keys.map((key) => run.config[key]),
    ]);
  return csvOf(header, lines);
}

/** One column of the table of runs. */
type RunColumn = readonly [header: string, align: Column['align'], textOf: (run: RunSummary) => string];

const NAME: RunColumn = ['name', 'left', ({ record }) => record.name ?? NONE];

/** The table of runs, with the hyperparameters in which they differ. */
export function tableOf(runs: readonly RunSummary[]): {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
} {
  const images = imageNames(runs);
  const shown: readonly RunColumn[] = [
    ['run', 'left', ({ directory }) => directory.path],
    ...(runs.some(({ record }) => record.name) ? [NAME] : []),
    ...differing(runs),
    ...(images.size > 1 ? [['images', 'left', ({ record }) => images.get(record.dataset.sha256)!] as RunColumn] : []),
    ['epochs', 'right', epochsOf],
    ['validation', 'right', ({ progress }) => accuracyOf(progress.lastEpoch?.validation)],
    ['test', 'right', ({ test }) => accuracyOf(test)],
    ['status', 'left', ({ status }) => status],
    ['saved', 'left', ({ saved }) => format.localTime(saved)],
  ];
  return {
    columns: shown.map(([header, align]) => ({ header, align })),
    rows: runs.map((run) => shown.map(([, , textOf]) => [textOf(run)])),
  };
}

/** Columns of the hyperparameters that are not the same in all runs, counting one without an effect as a value of its own. */
function differing(runs: readonly RunSummary[]): RunColumn[] {
  const configs = new Map(runs.map((run) => [run, effectiveConfig(run.record.config)]));
  const textOf = (run: RunSummary, key: keyof Config) => String(configs.get(run)![key] ?? NONE);
  // How many epochs were planned stands beside those that are done.
  return KEYS.filter((key) => key !== 'epochs' && new Set(runs.map((run) => textOf(run, key))).size > 1).map((key) => {
    const isNumber = runs.some((run) => typeof run.record.config[key] === 'number');
    return [key, isNumber ? 'right' : 'left', (run) => textOf(run, key)];
  });
}

/** The sets of images by hash: the dataset, with the beginning of the hash if there are several sets of it. */
function imageNames(runs: readonly RunSummary[]): ReadonlyMap<string, string> {
  const names = new Map(runs.map(({ record }) => [record.dataset.sha256, record.dataset.name as string]));
  const count = (name: string) => [...names.values()].filter((other) => other === name).length;
  return new Map(
    [...names].map(([sha256, name]) => [sha256, count(name) > 1 ? `${name} ${sha256.slice(0, 8)}` : name]),
  );
}

/** The epochs done, of those planned if the run has not finished. */
function epochsOf({ status, progress, record }: RunSummary): string {
  const done = progress.lastEpoch?.epoch ?? 0;
  return status === 'finished' ? String(done) : `${done}/${record.config.epochs}`;
}

function accuracyOf(metrics: Metrics | null | undefined): string {
  return metrics ? format.percent(metrics.accuracy) : NONE;
}
