import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { parseSpace } from '../../../src/sweep/space/parse-space.ts';
import { parseSweepFile } from '../../../src/sweep/space/sweep-file.ts';

const parse = (text: string) => parseSweepFile(Buffer.from(text));

describe('a sweep file', () => {
  it('may have the words of Weights & Biases', async () => {
    const file = `
method: bayes
metric: {name: validation.accuracy, goal: maximize}
parameters:
  lr: {distribution: log_uniform_values, min: 0.0001, max: 1e-1}
  hidden: {values: [64, 128, 256]}
  dropout: {min: 0.0, max: 0.5}
  shift: {distribution: int_uniform, min: 0, max: 4}
  optimizer: {distribution: categorical, values: [sgd, adamw]}
  model: {value: mlp}
  epochs: {distribution: constant, value: 9}
  loss: {values: [softmax]}
early_terminate: {type: hyperband, eta: 4, min_iter: 2}
run_cap: 64
seed: 7
`;
    expect(await parse(file)).toEqual({
      method: 'bayes',
      metric: { name: 'validation.accuracy', goal: 'maximize' },
      space: parseSpace([
        'lr=1e-4..1e-1:log',
        'hidden=64,128,256',
        'dropout=0..0.5',
        'shift=0..4',
        'optimizer=sgd,adamw',
      ]),
      base: { model: 'mlp', epochs: 9, loss: 'softmax' },
      halving: { eta: 4, minEpochs: 2 },
      trials: 64,
      seed: 7,
    });
  });

  it('may have our words', async () => {
    const file = `
method: sobol
metric: {name: validation.loss}
parameters:
  lr: 1e-4..1e-1:log
  weightDecay:
  optimizer: sgd, adamw
  batchSize: [64, 128]
  flip: [true, false]
  model: linear
  epochs: 5
  nesterov: false
early_terminate: {type: hyperband}
`;
    expect(await parse(file)).toEqual({
      method: 'sobol',
      metric: { name: 'validation.loss', goal: 'minimize' },
      space: parseSpace([
        'lr=1e-4..1e-1:log',
        'weightDecay',
        'optimizer=sgd,adamw',
        'batchSize=64,128',
        'flip=true,false',
      ]),
      base: { model: 'linear', epochs: 5, nesterov: false },
      halving: { eta: 3 },
    });
  });

  it('may leave everything out', async () => {
    expect(await parse('seed: 1')).toEqual({ space: [], base: {}, seed: 1 });
  });

  it.each([
    ['- 1', 'the file must hold keys with values, got [ 1 ]'],
    [
      'program: train.py',
      'the file has an unknown key program; the keys are method, metric, parameters, early_terminate',
    ],
    ['method: hyperopt', 'method must be one of grid, random, sobol, tpe, bayes, got hyperopt'],
    ['metric: val_acc', 'metric must hold keys with values, got val_acc'],
    ['metric: {name: val_acc}', 'metric.name must be one of validation.accuracy, validation.loss, got val_acc'],
    [
      'metric: {name: validation.loss, goal: maximize}',
      'metric.goal is maximize, but a sweep can only minimize validation.loss; leave metric.goal out',
    ],
    ['metric: {name: validation.loss, target: 1}', 'metric has an unknown key target; the keys are name, goal'],
    ['run_cap: 1.5', 'run_cap must be an integer ≥ 1, got 1.5'],
    ['seed: -1', 'seed must be an integer ≥ 0, got -1'],
    ['early_terminate: {type: median}', 'early_terminate.type must be hyperband, got median'],
    ['early_terminate: {eta: 2}', 'early_terminate.type must be hyperband, got nothing'],
    ['early_terminate: {type: hyperband, eta: 1}', 'early_terminate.eta must be an integer ≥ 2, got 1'],
    ['early_terminate: {type: hyperband, max_iter: 9}', 'early_terminate has an unknown key max_iter; the keys are'],
    ['parameters: [lr]', 'parameters must hold keys with values'],
    ['parameters: {learning_rate: {value: 1}}', 'learning_rate is not a hyperparameter; the hyperparameters are model'],
    ['parameters: {learning_rate: }', 'learning_rate is not a hyperparameter'],
    ['parameters: {epochs: [1, 2]}', 'epochs cannot be searched: trials are compared after the same number of epochs'],
    ['parameters: {lr: fast}', 'lr must be a number > 0, got "fast"'],
    ['parameters: {lr: {}}', 'lr needs one of value, values, or min and max'],
    ['parameters: {lr: {value: 1, min: 1, max: 2}}', 'lr needs one of value, values, or min and max'],
    ['parameters: {lr: {min: 1}}', 'lr must be a number > 0, got nothing'],
    ['parameters: {lr: {values: 1}}', 'lr must have a list of values, such as [1, 2]'],
    ['parameters: {lr: {values: []}}', 'lr has no values; a search needs two or more'],
    ['parameters: {lr: {values: [1, 2], probabilities: [0.1, 0.9]}}', 'lr has an unknown key probabilities; the keys'],
    ['parameters: {lr: {parameters: {min: 1}}}', 'lr has an unknown key parameters'],
    ['parameters: {lr: {min: 2, max: 1}}', 'lr has an empty range: 2 is above 1'],
    ['parameters: {weightDecay: {distribution: log_uniform_values, min: 0, max: 1}}', 'weightDecay has a logarithmic'],
    [
      'parameters: {lr: {distribution: log_uniform, min: -9, max: -2}}',
      'lr has the distribution log_uniform, which takes exponents as min and max; use log_uniform_values, which takes',
    ],
    [
      'parameters: {lr: {distribution: q_uniform, min: 1, max: 2}}',
      'lr has the distribution q_uniform, which rounds to multiples of q; list the values',
    ],
    [
      'parameters: {lr: {distribution: normal, min: 1, max: 2}}',
      'lr has the distribution normal; with min and max it can be uniform, int_uniform, log_uniform_values',
    ],
    [
      'parameters: {lr: {distribution: uniform, values: [1, 2]}}',
      'lr has the distribution uniform; with value or values it can be constant, categorical',
    ],
  ])('%s is refused', async (text, message) => {
    const error = await parse(text).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(error?.message).toContain(message);
  });

  it('is damaged YAML, with the place', async () => {
    await expect(parse('method: tpe\nparameters: {lr: [1, 2}\n')).rejects.toThrow('it is not YAML at line 2, column ');
  });
});
