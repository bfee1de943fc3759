import { describe, expect, it } from 'vitest';
import { differences, labelsOf } from '../../src/report/page/compare/labels.ts';

describe('labels of configurations', () => {
  it.each([
    [
      [
        { lr: 0.1, epochs: 5 },
        { lr: 0.2, epochs: 5 },
      ],
      ['lr 0.1', 'lr 0.2'],
    ],
    // The model says enough, whatever else follows from it.
    [
      [
        { model: 'linear', lr: 0.1 },
        { model: 'mlp', lr: 0.1, hidden: 64, dropout: 0.5 },
      ],
      ['linear', 'mlp'],
    ],
    [
      [
        { model: 'linear', lr: 0.1 },
        { model: 'linear', lr: 0.2 },
        { model: 'mlp', lr: 0.2, hidden: 64 },
      ],
      ['linear, lr 0.1', 'linear, lr 0.2', 'mlp, lr 0.2'],
    ],
    [
      [
        { model: 'linear', loss: 'softmax', lr: 0.003 },
        { model: 'linear', loss: 'hinge', lr: 0.0005 },
        { model: 'mlp', loss: 'softmax', lr: 0.05 },
      ],
      ['linear', 'linear, hinge', 'mlp'],
    ],
    // One number tells all three apart, so the switch, which tells two apart, is not needed.
    [
      [
        { flip: true, shift: 0 },
        { flip: false, shift: 1 },
        { flip: true, shift: 2 },
      ],
      ['shift 0', 'shift 1', 'shift 2'],
    ],
    // The usual choice goes without saying, unless nothing else is left to say.
    [
      [
        { flip: true, lr: 1 },
        { flip: true, lr: 2 },
        { flip: false, lr: 2 },
      ],
      ['lr 1', 'lr 2', 'no flip, lr 2'],
    ],
    [
      [{ flip: true }, { flip: false }],
      ['flip', 'no flip'],
    ],
    [
      [{ earlyStop: null }, { earlyStop: 3 }],
      ['earlyStop off', 'earlyStop 3'],
    ],
    // Seeds and the names of the images are told in other ways.
    [
      [
        { lr: 1, seed: 0, dataset: 'auto' },
        { lr: 1, seed: 1, dataset: 'cifar10' },
      ],
      ['', ''],
    ],
    [[{ lr: 1 }], ['']],
  ])('name what differs: %j', (configs, labels) => {
    expect(labelsOf(configs)).toEqual(labels);
  });

  it('list every hyperparameter that differs or has no effect in some', () => {
    expect(
      differences([
        { lr: 1, seed: 0 },
        { lr: 1, seed: 1, hidden: 8 },
      ]),
    ).toEqual(['hidden']);
  });
});
