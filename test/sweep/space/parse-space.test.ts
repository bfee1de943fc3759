import { describe, expect, it } from 'vitest';
import { FIELD_LIST } from '../../../src/config/config.ts';
import { UsageError } from '../../../src/errors.ts';
import { expectEffect, parseParameter, parseSpace, usualParameter } from '../../../src/sweep/space/parse-space.ts';
import { SEARCHABLE } from './spaces.ts';

const refusal = (run: () => unknown): UsageError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('nothing was refused');
};

describe('a parameter', () => {
  it.each([
    ['lr=1e-4..1e-1:log', { field: 'lr', kind: 'range', min: 1e-4, max: 0.1, log: true, step: null }],
    ['dropout=0..0.5', { field: 'dropout', kind: 'range', min: 0, max: 0.5, log: false, step: null }],
    ['hidden=32..512:log', { field: 'hidden', kind: 'range', min: 32, max: 512, log: true, step: 1 }],
    ['receptiveField=4..32', { field: 'receptiveField', kind: 'range', min: 4, max: 32, log: false, step: 4 }],
    [' lr = .01 .. 0.1 : log ', { field: 'lr', kind: 'range', min: 0.01, max: 0.1, log: true, step: null }],
    ['optimizer=sgd,adamw', { field: 'optimizer', kind: 'choice', values: ['sgd', 'adamw'] }],
    ['lr=1e-1, 0.01', { field: 'lr', kind: 'choice', values: [0.1, 0.01] }],
    ['batchSize=64,128', { field: 'batchSize', kind: 'choice', values: [64, 128] }],
    ['flip=false,true', { field: 'flip', kind: 'choice', values: [false, true] }],
    ['seed=0,1,2', { field: 'seed', kind: 'choice', values: [0, 1, 2] }],
    ['lr', { field: 'lr', kind: 'range', min: 1e-4, max: 0.1, log: true, step: null }],
    ['nesterov', { field: 'nesterov', kind: 'choice', values: [true, false] }],
    ['loss', { field: 'loss', kind: 'choice', values: ['softmax', 'hinge'] }],
  ])('%s', (text, parameter) => {
    expect(parseParameter(text)).toEqual(parameter);
  });

  it('of every field that can be searched, but the seed, has usual values', () => {
    for (const key of SEARCHABLE) if (key !== 'seed') expect(usualParameter(key)).toMatchObject({ field: key });
  });

  it.each([
    [
      'learningRate=1..2',
      'learningRate',
      'learningRate is not a hyperparameter; the hyperparameters are model, recipe',
    ],
    ['toString', 'toString', 'toString is not a hyperparameter'],
    ['', '', ' is not a hyperparameter'],
    ['model=linear,mlp', 'model', 'model cannot be searched: its models differ in what else has an effect'],
    ['epochs=1..9', 'epochs', 'epochs cannot be searched: trials are compared after the same number of epochs'],
    ['val', 'val', 'val cannot be searched: trials are compared on the same images'],
    ['seed', 'seed', 'seed has no usual range; list its values, such as 0,1,2'],
    ['seed=0..9', 'seed', 'seed has no range; list its values, such as 0,1,2'],
    ['optimizer=sgd..muon', 'optimizer', 'optimizer has no range; list its values, such as sgd,'],
    ['flip=0..1', 'flip', 'flip has no range; list its values, such as true,false'],
    ['lr=', 'lr', 'lr must be a number > 0, got ""'],
    ['lr=1e-1..1e-4', 'lr', 'lr has an empty range: 0.1 is above 0.0001'],
    ['lr=0.1..0.1000000000001', 'lr', 'lr has an empty range: 0.1 and 0.1000000000001 are almost the same'],
    ['lr=0.1..0.1', 'lr', 'lr has one value, 0.1, and nothing to search; set lr: 0.1 for all trials instead'],
    ['lr=0.1', 'lr', 'lr has one value, 0.1, and nothing to search; set lr: 0.1 for all trials instead'],
    [
      'optimizer=adamw',
      'optimizer',
      "optimizer has one value, adamw, and nothing to search; set optimizer: 'adamw' for",
    ],
    [
      'weightDecay=0..1:log',
      'weightDecay',
      'weightDecay has a logarithmic range that begins at 0; it must begin above',
    ],
    ['weightDecay=-1..1:log', 'weightDecay', 'weightDecay must be a number ≥ 0, got -1'],
    ['dropout=0..1', 'dropout', 'dropout must be a number ≥ 0 and < 1, got 1'],
    ['hidden=8.5..64', 'hidden', 'hidden must be an integer ≥ 1 and ≤ 8192, got 8.5'],
    ['receptiveField=4..30', 'receptiveField', 'receptiveField must be a multiple of 4 ≥ 4 and ≤ 32, got 30'],
    ['lr=0.1..', 'lr', 'lr must be a number > 0, got ""'],
    ['lr=1e-3..1e999', 'lr', 'lr must be a number > 0, got 1e999'],
    ['lr=0.1,,0.2', 'lr', 'lr must be a number > 0, got ""'],
    ['lr=0.1,1e-1', 'lr', 'lr lists 0.1 twice'],
    ['optimizer=sgd,adam', 'optimizer', 'optimizer must be one of sgd, '],
    ['lr=0.1,0.2:log', 'lr', 'lr ends with :log, wanted :log after a range, or nothing'],
    ['lr=0.1..0.2:exp', 'lr', 'lr ends with :exp, wanted :log after a range, or nothing'],
  ])('%s is refused', (text, name, message) => {
    const error = refusal(() => parseParameter(text));
    expect(error.message).toContain(message);
    expect(error.field).toBe(name);
  });
});

describe('a space', () => {
  it('has each field once', () => {
    expect(parseSpace(['lr', 'flip']).map(({ field }) => field)).toEqual(['lr', 'flip']);
    const error = refusal(() => parseSpace(['lr', 'flip', 'lr=1..2']));
    expect(error.message).toBe('lr is searched twice; leave one of them out');
  });

  it('has fields with an effect in some trial', () => {
    const check = (texts: readonly string[], base = {}) => expectEffect(parseSpace(texts), base);
    check(['dropout'], { model: 'mlp' });
    check(['optimizer=adamw,sgd', 'momentum']);
    check(['init', 'initStd']);
    check(['receptiveField=28..32', 'receptiveStride'], { model: 'mlp' });
    const errors = {
      dropout: () => check(['dropout']),
      momentum: () => check(['optimizer=adamw,muon', 'nesterov', 'momentum'], { optimizer: 'adamw', model: 'mlp' }),
      initStd: () => check(['init=he,xavier', 'initStd']),
    };
    expect(refusal(errors.dropout).message).toBe(
      "dropout has an effect only with model: 'mlp', which no trial has; set model: 'mlp' or leave dropout out",
    );
    expect(refusal(errors.initStd).message).toBe(
      "initStd has an effect only with init: 'normal', which no trial has; set init: 'normal' or leave initStd out",
    );
    expect(errors.momentum).not.toThrow();
  });
});

it('every hyperparameter is searchable or is refused with a reason', () => {
  for (const [key] of FIELD_LIST) {
    if (SEARCHABLE.includes(key)) continue;
    expect(refusal(() => parseParameter(key)).message).toMatch(/ cannot be searched: \w+/);
  }
});
