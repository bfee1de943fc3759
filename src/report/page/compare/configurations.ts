import { DATASET_LABEL } from '../../../images.ts';
import type { RunReport } from '../../report-data.ts';
import { type Child, h } from '../dom.ts';
import * as format from '../format.ts';
import { bestOf } from '../run/run.ts';
import { IGNORED, labelsOf } from './labels.ts';

/** Number of series colours in style/1-base.css. Further configurations reuse them with dashed lines. */
const COLOURS = 6;
const DASHES = [undefined, '6 3', '2 2', '8 3 2 3'];
/** A run with its label and style on the page. */
export interface ComparedRun {
  readonly run: RunReport;
  /** Index in the data of the page. */
  readonly index: number;
  /** Letter of its configuration and, if that has several runs, a number: A, B1, B2 … */
  readonly letter: string;
  /** What sets it apart from other runs. */
  readonly name: string;
  /** The same next to its letter: the seed is enough where there are several. */
  readonly label: string;
  readonly colour: string;
  readonly dash?: string;
  readonly shown: boolean;
}

/** Runs on the same images that differ in the seed alone. */
export interface Configuration {
  /** A, B, C …; from the 27th on, a number. */
  readonly letter: string;
  readonly name: string;
  readonly colour: string;
  readonly config: RunReport['config'];
  /** Best first. */
  readonly runs: readonly ComparedRun[];
}

/** The configurations that were trained on the same images, so that their accuracies can be compared. */
export interface Images {
  readonly name: string;
  readonly isSynthetic: boolean;
  /** The highest mean of the validation accuracy first. */
  readonly configurations: readonly Configuration[];
}

/** Groups runs by their images and their configuration. @param hidden indices of the runs hidden from the charts. */
export function groupRuns(runs: readonly RunReport[], hidden: ReadonlySet<number>): Images[] {
  const indexed = runs.map((run, index) => ({ run, index }));
  const groups = [...groupBy(indexed, keyOf).values()].map((group) => [...group].sort((a, b) => compare([a], [b])));
  // CIFAR-10 comes before the images that stand in for it.
  const order = (group: typeof indexed) => (group[0].run.dataset.name === 'cifar10' ? 0 : 1);
  const byImages = [...groupBy(groups, ([{ run }]) => run.dataset.sha256).values()]
    .sort((a, b) => order(a[0]) - order(b[0]))
    .map((group) => group.sort(compare));
  const names = imageNames(byImages.map(([[{ run }]]) => run.dataset));
  let place = 0;
  return byImages.map((group, i) => {
    const labels = labelsOf(group.map(([{ run }]) => run.config));
    return {
      name: names[i],
      isSynthetic: group[0][0].run.dataset.name === 'synthetic',
      configurations: group.map((one, at) => configuration(one, place++, labels[at], hidden)),
    };
  });
}

type Indexed = readonly { readonly run: RunReport; readonly index: number }[];

function configuration(group: Indexed, place: number, label: string, hidden: ReadonlySet<number>): Configuration {
  const dash = DASHES[Math.floor(place / COLOURS) % DASHES.length];
  const letter = place < 26 ? String.fromCharCode(65 + place) : `${place + 1}`;
  const colour = `var(--series-${1 + (place % COLOURS)})`;
  const [{ run }] = group;
  // A name that somebody gave says most.
  const title = group.every((one) => one.run.title === run.title) ? run.title : undefined;
  const name = title ?? (label || format.baseName(run.name));
  const isOnly = group.length === 1;
  const runs = group.map(({ run, index }, i) => ({
    run,
    index,
    letter: isOnly ? letter : `${letter}${i + 1}`,
    name: isOnly ? name : `${name}, ${seedOf(run)}`,
    label: isOnly ? name : seedOf(run),
    colour,
    ...(dash ? { dash } : {}),
    shown: !hidden.has(index),
  }));
  return { letter, name, colour, config: run.config, runs };
}

const seedOf = ({ config }: RunReport): string => `seed ${format.setting(config.seed)}`;

function groupBy<T>(list: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** Equal for runs that differ in the seed alone. */
function keyOf({ run: { dataset, config } }: Indexed[number]): string {
  const settings = Object.entries(config).filter(([name]) => !IGNORED.has(name));
  return JSON.stringify([dataset.sha256, settings.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Sorts by validation accuracy; without it, by test accuracy, and last. */
function compare(a: Indexed, b: Indexed): number {
  const means = (group: Indexed) => {
    const validation = mean(group.map(({ run }) => validationAccuracy(run)));
    return [validation ?? -1, validation === null ? (mean(group.map(({ run }) => testAccuracy(run))) ?? -1) : 0];
  };
  const [left, right] = [means(a), means(b)];
  return right[0] - left[0] || right[1] - left[1];
}

function imageNames(sets: readonly RunReport['dataset'][]): string[] {
  return sets.map(({ name, sha256 }) => {
    const isOnly = sets.filter((other) => other.name === name).length === 1;
    return isOnly ? DATASET_LABEL[name] : `${DATASET_LABEL[name]} ${sha256.slice(0, 8)}`;
  });
}

export const testAccuracy = (run: RunReport): number | null => run.test?.accuracy ?? null;
export const validationAccuracy = (run: RunReport): number | null => bestOf(run)?.accuracy ?? null;

type Maybe = number | null | undefined;

const numbersIn = (values: readonly Maybe[]): number[] =>
  values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));

/** Mean of the values that exist; null if there is none. */
export function mean(values: readonly Maybe[]): number | null {
  const numbers = numbersIn(values);
  return numbers.length > 0 ? numbers.reduce((sum, value) => sum + value, 0) / numbers.length : null;
}

/** Sample standard deviation, √(Σ(x−x̄)² / (n−1)), of the values that exist; null for fewer than two. */
export function deviation(values: readonly Maybe[]): number | null {
  const numbers = numbersIn(values);
  const centre = mean(numbers);
  if (centre === null || numbers.length < 2) return null;
  return Math.sqrt(numbers.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (numbers.length - 1));
}

/** Badge with the letter of a run or a configuration in its colour. */
export const badge = ({ letter, colour }: { readonly letter: string; readonly colour: string }): HTMLElement =>
  h('span', { class: 'letter', style: `--run:${colour}` }, letter);

export const named = (one: { readonly letter: string; readonly colour: string; readonly name: string }): Child =>
  h('span', { class: 'named' }, badge(one), one.name);
