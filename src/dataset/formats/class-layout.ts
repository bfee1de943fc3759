import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../errors.ts';
import { isFolder } from '../../files.ts';
import { field, type Message, message } from '../../message.ts';
import { CLASSES } from '../cifar10.ts';
import { isClutter, labelOf, numberOf, type SplitName, splitOf } from './class-names.ts';
import { cannotRead } from './folder.ts';

// Pictures in one folder per class: which folders hold which split and which class.

/** Whether the name of a file is that of a picture. */
export const isPictureName = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/** The class folders of one split. */
export interface ClassFolders {
  readonly path: string;
  /** Names of the folders by label. */
  readonly classes: ReadonlyMap<number, string>;
}

export interface ClassLayout {
  readonly train: ClassFolders;
  readonly test: ClassFolders;
  /** What the user should know. */
  readonly notes: readonly Message[];
}

/** Finds the folders of splits and classes at a path that the user named. Returns undefined if it has none.
 *  @throws DataError if there are such folders, but not those of CIFAR-10 with training and test images. */
export async function findLayout(folder: string): Promise<ClassLayout | undefined> {
  const names = await subfolders(folder);
  const splits = groupBySplit(names);
  if (Object.values(splits).every((found) => found.length === 0)) {
    expectNoClasses(await inspect(folder), names);
    return undefined;
  }
  const found = await Promise.all(
    (Object.keys(splits) as SplitName[]).flatMap((split) => splits[split].map((name) => inspect(join(folder, name)))),
  );
  if (found.every(({ classes, others, hasPictures }) => classes.size + others.length === 0 && !hasPictures)) {
    return undefined;
  }
  const [train, test] = [splitFolder(folder, splits, 'train'), splitFolder(folder, splits, 'test')];
  const sets = [train, test].map((path) => found.find((set) => set.path === path)!);
  const notes = [...splitNotes(folder, splits), ...sets.flatMap(checkClasses)];
  return { train: sets[0], test: sets[1], notes };
}

/** Whether a folder that the user did not name holds the ten classes. Folders named 0 to 9 do not count: they are more
 *  likely to be MNIST. */
export async function holdsAllClasses(folder: string): Promise<boolean> {
  const { train, test, validation } = groupBySplit(await subfolders(folder));
  if (train.length === 0 || test.length + validation.length === 0) return false;
  const { classes, repeated, isNumbered } = await inspect(join(folder, train[0]));
  return classes.size === CLASSES.length && repeated.length === 0 && !isNumbered;
}

/** Names of classes without a folder. */
export function missingClasses({ classes }: ClassFolders): readonly string[] {
  return CLASSES.filter((_, label) => !classes.has(label));
}

/** Lists up to eight names. */
export function summary(names: readonly string[]): string {
  const LIMIT = 8;
  if (names.length === 0) return 'nothing';
  const more = names.length > LIMIT ? ` and ${names.length - LIMIT} more` : '';
  return names.slice(0, LIMIT).join(', ') + more;
}

/** Entries of a folder without clutter, sorted by name. @throws DataError if it cannot be read. */
export async function listEntries(folder: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !isClutter(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw cannotRead(folder, error);
  }
}

async function subfolders(folder: string, entries?: readonly Dirent[]): Promise<readonly string[]> {
  const leadsToFolder = async (entry: Dirent) =>
    entry.isSymbolicLink() ? isFolder(join(folder, entry.name)) : entry.isDirectory();
  const names = await Promise.all(
    (entries ?? (await listEntries(folder))).map(async (entry) => ((await leadsToFolder(entry)) ? [entry.name] : [])),
  );
  return names.flat();
}

type Splits = Readonly<Record<SplitName, readonly string[]>>;

function groupBySplit(names: readonly string[]): Splits {
  const of = (split: SplitName) => names.filter((name) => splitOf(name) === split);
  return { train: of('train'), test: of('test'), validation: of('validation') };
}

/** Path of the training or the test images. Validation images are tested on if there are no test images.
 *  @throws DataError unless there is exactly one such folder. */
function splitFolder(folder: string, splits: Splits, split: 'train' | 'test'): string {
  const names = split === 'test' && splits.test.length === 0 ? splits.validation : splits[split];
  if (names.length === 1) return join(folder, names[0]);
  const got =
    names.length > 1
      ? `has ${names.join(' and ')}, wanted one folder of ${split === 'train' ? 'training' : 'test'} images`
      : `has no folder ${split}, wanted train and test; found ${summary(Object.values(splits).flat())}`;
  throw new DataError(`${folder} ${got}.`);
}

function splitNotes(folder: string, { test, validation }: Splits): Message[] {
  if (validation.length === 0) return [];
  if (test.length === 0) return [message`${folder} has no folder test; ${validation[0]} is used as the test set`];
  return [
    message`${validation.map((name) => join(folder, name)).join(' and ')} is not used: validation images are taken from the training images, see ${field('val')}`,
  ];
}

interface Inspected extends ClassFolders {
  /** Names of further folders of a class that has one. */
  readonly repeated: readonly string[];
  /** Names of folders that are no class. */
  readonly others: readonly string[];
  /** Whether the folders have numbers in place of names. */
  readonly isNumbered: boolean;
  /** Whether there are pictures outside of the folders. */
  readonly hasPictures: boolean;
}

async function inspect(path: string): Promise<Inspected> {
  const entries = await listEntries(path);
  const names = await subfolders(path, entries);
  const isNumbered = names.every((name) => labelOf(name) === undefined);
  const label = isNumbered ? numberOf : labelOf;
  const classes = new Map<number, string>();
  const [repeated, others]: [string[], string[]] = [[], []];
  for (const name of names) {
    const number = label(name);
    if (number === undefined || number >= CLASSES.length) others.push(name);
    else if (classes.has(number)) repeated.push(name);
    else classes.set(number, name);
  }
  return { path, classes, repeated, others, isNumbered, hasPictures: entries.some(({ name }) => isPictureName(name)) };
}

/** Returns notes about folders that are left out.
 *  @throws DataError if the folders of a split are those of another dataset, or ambiguous. */
function checkClasses(set: Inspected): Message[] {
  const { path, classes, repeated, others, isNumbered, hasPictures } = set;
  const wanted = `the ten classes of CIFAR-10: ${CLASSES.join(', ')}, or 0 to 9`;
  if (classes.size + others.length === 0) {
    throw new DataError(
      `${path} has ${hasPictures ? 'pictures, but no folder' : 'no folders'} for ${wanted}, such as ${join(path, CLASSES[0])}.`,
    );
  }
  if (repeated.length > 0) {
    const [label, name] = [...classes].find(([label]) => labelIn(repeated[0], isNumbered) === label)!;
    throw new DataError(`${path} has two folders of ${CLASSES[label]}: ${name} and ${repeated[0]}; keep one.`);
  }
  const missing = missingClasses(set);
  const areOthers = missing.length > 0 || (isNumbered && others.some((name) => numberOf(name) !== undefined));
  if (others.length === 0) return [];
  if (areOthers) {
    const lacks = classes.size > 0 && missing.length > 0 ? `, and lacks ${missing.join(', ')}` : '';
    throw new DataError(
      `${path} has folders of other classes: ${summary(others)}${lacks}. nn-train trains on ${wanted}.`,
    );
  }
  return [message`${path} has folders of other classes, which are left out: ${summary(others)}`];
}

function labelIn(name: string, isNumbered: boolean): number | undefined {
  return isNumbered ? numberOf(name) : labelOf(name);
}

/** @throws DataError if a folder without splits has folders of classes. */
function expectNoClasses({ path, classes }: Inspected, names: readonly string[]): void {
  if (classes.size < 2) return;
  const above = dirname(path);
  const advice =
    splitOf(basename(path)) === undefined
      ? `Put the pictures into ${join(path, 'train', CLASSES[0])} and ${join(path, 'test', CLASSES[0])}, and so on.`
      : `Give the folder above, ${above}.`;
  throw new DataError(
    `${path} has folders of classes (${summary(names)}), but not those above them, train and test. ${advice}`,
  );
}
