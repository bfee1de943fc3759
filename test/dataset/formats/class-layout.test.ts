import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findLayout, holdsAllClasses } from '../../../src/dataset/formats/class-layout.ts';
import { DataError } from '../../../src/errors.ts';
import { rejection, scratchFolder } from '../../support/cifar10.ts';

const CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const scratch = scratchFolder();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'pictures-'));
});

function create(split: string, names: readonly string[] = CLASSES): void {
  for (const name of names) mkdirSync(join(folder, split, name), { recursive: true });
}

async function refusal(path = folder): Promise<string> {
  const error = await rejection(findLayout(path));
  expect(error).toBeInstanceOf(DataError);
  return error.message.replaceAll(folder, 'DIR');
}

/** The names of the class folders of a split, by label. */
const folders = ({ classes }: { classes: ReadonlyMap<number, string> }) =>
  CLASSES.map((_, label) => classes.get(label));

describe('splits and classes', () => {
  test('are found under the names that people give them', async () => {
    create('Train', [
      'Airplane',
      '01_automobile',
      'birds',
      'cat-train',
      '4 deer',
      'Dog',
      'FROG',
      'horses',
      'ship',
      'truck',
    ]);
    create('TEST', [...CLASSES.keys()].map(String));
    for (const clutter of ['.ipynb_checkpoints', '__MACOSX']) {
      create('.', [clutter]);
      create('Train', [clutter]);
    }
    writeFileSync(join(folder, 'Train', '.DS_Store'), '');
    writeFileSync(join(folder, 'Train', 'labels.txt'), '');
    const { train, test, notes } = (await findLayout(folder))!;
    expect([train.path, test.path, notes]).toEqual([join(folder, 'Train'), join(folder, 'TEST'), []]);
    expect(folders(train).join()).toBe('Airplane,01_automobile,birds,cat-train,4 deer,Dog,FROG,horses,ship,truck');
    expect(folders(test).join()).toBe('0,1,2,3,4,5,6,7,8,9');
  });

  test.each(['val', 'valid', 'Validation'])('%s is the test set if there is no other', async (name) => {
    create('train');
    create(name);
    const { test, notes } = (await findLayout(folder))!;
    expect(test.path).toBe(join(folder, name));
    expect(notes.join()).toBe(`${folder} has no folder test; ${name} is used as the test set`);
  });

  test('validation images beside a test set are left out', async () => {
    for (const split of ['train', 'val', 'test']) create(split);
    const { train, test, notes } = (await findLayout(folder))!;
    expect([train.path, test.path]).toEqual([join(folder, 'train'), join(folder, 'test')]);
    expect(notes.join()).toContain(`${join(folder, 'val')} is not used: validation images are taken from the training`);
  });

  test('folders of other classes beside all ten are left out', async () => {
    create('train', [...CLASSES, 'apple', 'pear']);
    create('test');
    expect((await findLayout(folder))!.notes.join()).toBe(
      `${join(folder, 'train')} has folders of other classes, which are left out: apple, pear`,
    );
  });

  test('may be links', async () => {
    create('elsewhere');
    for (const split of ['train', 'test']) symlinkSync(join(folder, 'elsewhere'), join(folder, split));
    expect(folders((await findLayout(folder))!.train)).toEqual(CLASSES);
  });
});

describe('are refused:', () => {
  const WANTED = `the ten classes of CIFAR-10: ${CLASSES.join(', ')}, or 0 to 9`;

  test('folders of other classes', async () => {
    create('train', ['apple', 'pear']);
    create('test', ['apple', 'pear']);
    expect(await refusal()).toBe(`DIR/train has folders of other classes: apple, pear. nn-train trains on ${WANTED}.`);
    // STL-10
    create('train', 'airplane bird car cat deer dog horse monkey ship truck'.split(' '));
    for (const name of ['apple', 'pear']) rmSync(join(folder, 'train', name), { recursive: true });
    expect(await refusal()).toBe(
      `DIR/train has folders of other classes: monkey, and lacks frog. nn-train trains on ${WANTED}.`,
    );
  });

  test('more numbered classes, or others than 0 to 9', async () => {
    create('train', [...Array(100).keys()].map(String));
    create('test');
    expect(await refusal()).toContain(
      'DIR/train has folders of other classes: 10, 11, 12, 13, 14, 15, 16, 17 and 82 more.',
    );
    rmSync(join(folder, 'train'), { recursive: true });
    create(
      'train',
      [...Array(10).keys()].map((label) => String(label + 1)),
    );
    expect(await refusal()).toContain('DIR/train has folders of other classes: 10, and lacks airplane.');
  });

  test('two folders of one class or one split', async () => {
    create('train', [...CLASSES, '3_cats']);
    create('test');
    expect(await refusal()).toBe('DIR/train has two folders of cat: 3_cats and cat; keep one.');
    create('training');
    expect(await refusal()).toBe('DIR has train and training, wanted one folder of training images.');
  });

  test('one split alone', async () => {
    create('train');
    expect(await refusal()).toBe('DIR has no folder test, wanted train and test; found train.');
    create('val');
    rmSync(join(folder, 'train'), { recursive: true });
    expect(await refusal()).toBe('DIR has no folder train, wanted train and test; found val.');
  });

  test('classes without splits', async () => {
    create('.');
    expect(await refusal()).toContain(
      'DIR has folders of classes (airplane, automobile, bird, cat, deer, dog, frog, horse and 2 more), but not those above them, train and test. Put the pictures into DIR/train/airplane and DIR/test/airplane, and so on.',
    );
    create('train');
    expect(await refusal(join(folder, 'train'))).toMatch(/train and test\. Give the folder above, DIR\.$/);
  });

  test('pictures without classes', async () => {
    create('.', ['train', 'test']);
    writeFileSync(join(folder, 'train', '1.png'), '');
    expect(await refusal()).toBe(`DIR/train has pictures, but no folder for ${WANTED}, such as DIR/train/airplane.`);
  });
});

test('folders of something else are none', async () => {
  expect(await findLayout(folder)).toBeUndefined();
  create('.', ['train', 'test', 'cat']);
  writeFileSync(join(folder, 'train', 'data.arrow'), '');
  expect(await findLayout(folder)).toBeUndefined();
});

test('a folder that the user did not name needs all ten classes by name', async () => {
  create('train', CLASSES.slice(1));
  create('val');
  expect(await holdsAllClasses(folder)).toBe(false);
  create('train', ['Airplane']);
  expect(await holdsAllClasses(folder)).toBe(true);
  create('train', ['airplane']);
  expect(await holdsAllClasses(folder)).toBe(false);
});
