import { CLASSES } from '../cifar10.ts';

// Names that people give to the folders of pictures.

export type SplitName = 'train' | 'test' | 'validation';

const SPLITS: Readonly<Record<SplitName, readonly string[]>> = {
  train: ['train', 'training'],
  test: ['test', 'testing'],
  validation: ['val', 'valid', 'validation'],
};
const SPLIT_WORDS = Object.values(SPLITS).flat();

/** Labels by the words for a class. PyTorch's tutorial calls the first two plane and car. */
const LABELS: ReadonlyMap<string, number> = new Map(
  [...CLASSES.entries(), [0, 'plane'] as const, [1, 'car'] as const].flatMap(([label, name]) => [
    [name, label],
    [`${name}s`, label],
  ]),
);

/** Split that a folder is named after, in any case; undefined if none. */
export function splitOf(name: string): SplitName | undefined {
  const word = name.toLowerCase();
  return (Object.keys(SPLITS) as SplitName[]).find((split) => SPLITS[split].includes(word));
}

/** Label of the class that a folder is named after: in any case, in the plural, with numbers, signs or the name of a split
 *  around it, such as `Airplane`, `00_airplane` or `airplane-train`. Undefined for any other name. */
export function labelOf(name: string): number | undefined {
  const words = wordsOf(name).filter((word) => !SPLIT_WORDS.includes(word));
  return words.length === 1 ? LABELS.get(words[0]) : undefined;
}

/** Number that a folder is named after; undefined if the name is not a number. */
export function numberOf(name: string): number | undefined {
  return /^\d+$/.test(name) ? Number(name) : undefined;
}

/** Whether an entry of a folder was left there by a file manager or an operating system: hidden files (`.DS_Store`,
 *  `._1.png`), Windows' and Synology's catalogues. */
export function isClutter(name: string): boolean {
  return name.startsWith('.') || /^(thumbs\.db|desktop\.ini|icon\r|__macosx|@eadir)$/i.test(name);
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().match(/\p{L}+/gu) ?? [];
}
