import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Config, FIELD_LIST, FIELDS } from '../../../src/config/config.ts';
import { type Field, RECIPE_NAMES } from '../../../src/config/field.ts';
import { applies, resolveConfig } from '../../../src/config/resolve.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';
import { readPage, readPages } from '../../support/markdown.ts';

async function config(args: string[], env?: Record<string, string>) {
  const { code, stdout, stderr } = await runMain([...args, '--print-config'], env);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

function fileOf(content: unknown): string {
  const file = path.join(temporaryFolder(), 'config.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('precedence', () => {
  it('is flags, environment, file, defaults', async () => {
    const file = fileOf({ lr: 0.1, batchSize: 11, epochs: 12, flip: false });
    const env = { NN_TRAIN_LR: '0.2', NN_TRAIN_BATCH_SIZE: '21' };
    expect(await config(['--config', file, '--lr', '0.3'], env)).toMatchObject({
      lr: 0.3,
      batchSize: 21,
      epochs: 12,
      flip: false,
      momentum: 0.9,
    });
  });

  it('applies to switches too', async () => {
    const file = fileOf({ flip: false });
    expect(await config(['--config', file])).toMatchObject({ flip: false });
    expect(await config(['--config', file, '--flip'])).toMatchObject({ flip: true });
    expect(await config(['--config', file], { NN_TRAIN_FLIP: 'true' })).toMatchObject({ flip: true });
    expect(await config(['--no-flip'], { NN_TRAIN_FLIP: 'true' })).toMatchObject({ flip: false });
    expect(await config([], { NN_TRAIN_FLIP: 'false' })).toMatchObject({ flip: false });
    expect(await config([], { NN_TRAIN_FLIP: '0' })).toMatchObject({ flip: false });
    expect(await config(['--quiet', 'train', '--no-flip'])).toMatchObject({ flip: false });
  });
});

describe('defaults', () => {
  it('follow the model and the recipe', async () => {
    const sgd = { optimizer: 'sgd', batchSize: 256, schedule: 'cosine', epochs: 10 };
    const linear = { model: 'linear', ...sgd, lr: 0.003, weightDecay: 1e-4 };
    const improved = { ...linear, shift: 1, labelSmoothing: 0.1 };
    expect(await config([])).toMatchObject({ recipe: 'fast', ...improved });
    expect(await config(['--recipe', 'best'])).toMatchObject({ recipe: 'best', ...improved });
    expect(await config(['--recipe', 'plain'])).toMatchObject({ ...linear, shift: 0, labelSmoothing: 0 });
    const muon = { optimizer: 'muon', batchSize: 512, schedule: 'linear', weightDecay: 0.1, labelSmoothing: 0.1 };
    const local = { model: 'mlp', hidden: 24, receptiveField: 8, activation: 'multi-bias', ...muon };
    const fast = { ...local, recipe: 'fast', receptiveStride: 4, lr: 0.021, headLr: 0.049, shift: 2, epochs: 10 };
    expect(await config(['--model', 'mlp'])).toMatchObject(fast);
    const dense = { model: 'mlp', hidden: 512, receptiveField: 32, activation: 'relu', ...sgd };
    const plain = { ...dense, lr: 0.05, weightDecay: 5e-4, shift: 2, labelSmoothing: 0.1 };
    expect(await config(['--model', 'mlp', '--recipe', 'plain'])).toMatchObject(plain);
  });

  it('follow the loss and the optimiser', async () => {
    expect(await config(['--loss', 'hinge'])).toMatchObject({ lr: 0.0005, shift: 1 });
    expect((await config(['--optimizer', 'adamw', '--model', 'mlp', '--recipe', 'plain'])).lr).toBe(0.001);
    expect(await config(['--optimizer', 'muon'])).toMatchObject({ weightDecay: 0.1 });
  });

  it('of a recipe give way to single options, and its rates hold for it as a whole', async () => {
    const best = ['--model', 'mlp', '--recipe', 'best'];
    expect(await config([...best, '--epochs', '60'])).toMatchObject({
      epochs: 60,
      mirror: true,
      lr: 0.02,
      headLr: 0.05,
    });
    const smaller = await config([...best, '--batch-size', '64']);
    expect(smaller).toMatchObject({ batchSize: 64, receptiveStride: 4 });
    expect(smaller.lr).not.toBe(0.02);
    expect(await config([...best, '--loss', 'softmax', '--batch-size', '512'])).toEqual(await config(best));
  });

  it('are those of the help, for every model and recipe', () => {
    for (const [key, field] of FIELD_LIST) {
      const shown = String(field.shownDefault ?? field.default);
      for (const model of ['linear', 'mlp'] as const) {
        for (const recipe of RECIPE_NAMES) {
          const config = resolveConfig({ model, recipe });
          if (!['model', 'recipe'].includes(key) && config[key] !== null && applies(field, config))
            expect(shown.split(/[ ;,]+/), `${key} of ${model}, ${recipe}`).toContain(String(config[key]));
        }
      }
    }
  });

  it('are within their ranges, and the help names every choice', () => {
    for (const model of ['linear', 'mlp'] as const) {
      const resolved = resolveConfig({ model });
      for (const [key, field] of FIELD_LIST) {
        expect(field.parse(resolved[key]), key).toBe(resolved[key]);
        for (const choice of field.choices ?? []) expect(field.help, key).toContain(choice);
      }
    }
  });
});

describe('ranges', () => {
  it.each<[keyof Config, accepted: number[], refused: number[]]>([
    ['hidden', [1, 8192], [0, 8193, 1.5]],
    ['dropout', [0, 0.99], [-0.1, 1]],
    ['labelSmoothing', [0, 0.99], [-0.1, 1]],
    ['initStd', [1e-9, 5], [0, -1]],
    ['epochs', [1, 1e6], [0, 0.5]],
    ['batchSize', [1, 50000], [0, 50001]],
    ['lr', [1e-12, 1e6], [0, -1]],
    ['warmup', [0, 0.99], [-0.1, 1]],
    ['momentum', [0, 0.99], [-0.1, 1]],
    ['weightDecay', [0, 10], [-1e-9]],
    ['shift', [0, 31], [-1, 32]],
    ['val', [0, 49999], [-1, 0.5]],
    ['trainLimit', [1, 1e6], [0]],
    ['earlyStop', [1, 1e6], [0]],
    ['seed', [0, 2 ** 53 - 1], [-1, 2 ** 53, 0.5]],
  ])('of %s hold at their ends, for text and for numbers', (key, accepted, refused) => {
    const field: Field = FIELDS[key];
    for (const value of accepted) expect([field.parse(value), field.parse(String(value))]).toEqual([value, value]);
    for (const value of refused)
      expect([field.parse(value), field.parse(String(value))]).toEqual([undefined, undefined]);
  });
});

describe('--print-config', () => {
  it('prints what --config reads, without options that have no effect', async () => {
    const args = ['--model', 'mlp', '--optimizer', 'adamw', '--early-stop', '3', '--train-limit', '100', '--seed', '9'];
    const printed = await config(args);
    expect(await config(['--config', fileOf(printed)])).toEqual(printed);
    const resolved = resolveConfig(printed);
    const shown = FIELD_LIST.filter(([, field]) => applies(field, resolved)).map(([key]) => key);
    expect(Object.keys(printed)).toEqual(shown);
    expect(printed).not.toHaveProperty('momentum');
  });

  it('reads the config.json of a run as well', async () => {
    const recorded = { dataset: {}, environment: { node: 'v20' } };
    const file = fileOf({ config: { model: 'mlp', recipe: 'fast', hidden: 33 }, ...recorded });
    expect(await config(['--config', file])).toMatchObject({ hidden: 33, receptiveField: 8 });
    const earlier = fileOf({ config: { model: 'mlp', hidden: 33 }, ...recorded });
    expect(await config(['--config', earlier])).toMatchObject({ recipe: 'plain', hidden: 33, optimizer: 'sgd' });
  });
});

describe('a configuration file in YAML', () => {
  const yaml = (content: string, name = 'config.yaml') => {
    const file = path.join(temporaryFolder(), name);
    writeFileSync(file, content);
    return file;
  };

  it('means the same as in JSON, with any extension but .json', async () => {
    const content =
      '# Of the course.\nmodel: mlp\nrecipe: plain\nhidden: 0x40\nlr: 1e-2\nflip: false\nearlyStop: null\n';
    const values = { model: 'mlp', recipe: 'plain', hidden: 64, lr: 0.01, flip: false, earlyStop: null };
    const expected = await config(['--config', fileOf(values)]);
    for (const name of ['config.yaml', 'CONFIG.YML', 'config', 'config.txt']) {
      expect(await config(['--config', yaml(content, name)])).toEqual(expected);
    }
    for (const name of ['config.yaml', 'config']) {
      expect(await config(['--config', yaml(JSON.stringify(values), name)])).toEqual(expected);
    }
    expect(await config(['--config', yaml(content), '--lr', '0.5'], { NN_TRAIN_FLIP: 'true' })).toMatchObject({
      lr: 0.5,
      flip: true,
    });
  });

  it.each([
    ['lr: [1', 'cannot read the configuration file'],
    ['- lr\n', 'must hold names and values, such as "lr: 0.05"'],
    ['', 'it is empty'],
    ['lr: 1\nlr: 2\n', 'the key is given twice'],
    ['lr: fast\n', 'must be a number > 0, got fast'],
    ['learning_rate: 1\n', "Did you mean 'lr'?"],
  ])('that holds %j is one message', async (content, message) => {
    const { code, stderr } = await runMain(['--config', yaml(content), '--print-config']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('wrong usage prints one message and exits with 2', () => {
  const cases: [args: string[], message: string][] = [
    [['--hidden', '0', '--model', 'mlp'], '--hidden must be an integer ≥ 1 and ≤ 8192, got 0'],
    [['--hidden', '2.5', '--model', 'mlp'], '--hidden must be an integer ≥ 1 and ≤ 8192, got 2.5'],
    [['--lr', '-3'], '--lr must be a number > 0, got -3'],
    [['--lr', 'fast'], '--lr must be a number > 0, got fast'],
    [['--lr', ''], '--lr must be a number > 0, got '],
    [['--lr', 'Infinity'], '--lr must be a number > 0, got Infinity'],
    [['--dropout', '1', '--model', 'mlp'], '--dropout must be a number ≥ 0 and < 1, got 1'],
    [['--epochs', '0x10000000000000000'], '--epochs must be an integer ≥ 1, got 18446744073709552000'],
    [['--model', 'cnn'], '--model must be one of linear, mlp, got cnn'],
    [
      ['--hidden', '9'],
      'error: --hidden has an effect only with --model mlp; add --model mlp, or leave --hidden out\n',
    ],
    [
      ['--hidden', '9', '--model', 'linear'],
      '--hidden has an effect only with --model mlp, but --model is linear; set --model mlp or leave --hidden out',
    ],
    [['--init-std', '1'], 'only with --init normal; add --init normal, or leave --init-std out'],
    [
      ['--nesterov', '--momentum', '0.5', '--optimizer', 'adamw'],
      '--momentum has an effect only with --optimizer sgd or muon, but --optimizer is adamw; set --optimizer sgd or leave --momentum out',
    ],
    [['explain', 'sigmoid', '--svg', 'a/x.PNG'], `--svg writes SVG, got a/x.PNG; name it ${path.join('a', 'x')}.svg\n`],
    [['explain', 'sigmoid', '--html', 'x.svg'], '--html writes HTML, got x.svg; name it x.html\n'],
    [['explain', 'sigmoid', '--svg', ''], '--svg must name a file, got an empty string\n'],
    [['report', 'run', '--out', 'x.png'], '--out writes HTML, got x.png; name it x.html\n'],
    [['data', 'info', '--sample', 'x.jpeg'], '--sample writes PNG, got x.jpeg; name it x.png\n'],
    [['explain', '--dropout', '0.5'], '--dropout applies to the graph of a model only; add --model mlp\n'],
    [['explain', '--lr', '0.5'], 'add --model linear or --model mlp\n'],
    [['--loss', 'hinge', '--label-smoothing', '0.1'], '--label-smoothing has an effect only with --loss softmax'],
    [['--early-stop', '2', '--val', '0'], '--early-stop 2 needs validation images'],
    [['--learning-rate', '1'], "unknown option '--learning-rate'"],
    [['--lr'], "option '--lr <n>' argument missing"],
    [['paint', '--lr', '1'], "unknown command 'paint'\nRun nn-train --help"],
    [['--json', 'eval', 'run'], 'options of eval come after it, got --json before it'],
    [['eval', 'one', 'two'], 'too many arguments'],
    [['eval'], "missing required argument 'run'"],
    [['eval', '/nowhere'], '/nowhere is not a run directory'],
    [['eval', '/tmp', '--weights', 'worst'], '--weights must be one of last, best, got worst'],
    [['--quiet', 'bench'], 'options of bench come after it, got --quiet before it'],
    [['bench', 'linear'], 'too many arguments'],
    [['bench', '--precision', 'int4'], '--precision must be one of int16, int8, float32, got int4'],
    [['bench', '--seconds', '0'], '--seconds must be a number > 0, got 0'],
    [['bench', '--seconds', 'long'], '--seconds must be a number > 0, got long'],
    [['bench', '--backend', 'gpu'], '--backend must be one of auto, wasm, reference, got gpu'],
    [['bench', '--threads', '0'], '--threads must be an integer ≥ 1 and ≤ 256, got 0'],
    [['bench', '--epochs', '3'], "unknown option '--epochs'"],
    [['--resume', '/nowhere'], '/nowhere is not a run directory'],
    [['--resume', '/nowhere', '--lr', '1', '--no-save'], 'leave out --lr, --no-save'],
    [['--out', ''], '--out must name a folder'],
    [['--config', '/nowhere.json'], 'cannot read the configuration file /nowhere.json'],
  ];
  it.each(cases)('%j', async (args, message) => {
    const { code, stdout, stderr } = await runMain(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('in the environment and in the file', async () => {
    const bad = async (args: string[], env: Record<string, string>, message: string) => {
      const { code, stderr } = await runMain(args, env);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    };
    await bad([], { NN_TRAIN_FLIP: 'toString' }, 'NN_TRAIN_FLIP must be true or false, got toString');
    await bad([], { NN_TRAIN_MOMENTUM: '2' }, 'NN_TRAIN_MOMENTUM must be a number ≥ 0 and < 1, got 2');
    const file = fileOf({ learningRate: 1 });
    await bad(
      ['--config', file],
      {},
      `learningRate in ${file} is not a hyperparameter; the hyperparameters are model, recipe, hidden`,
    );
    const typed = fileOf({ lr: [1] });
    await bad(['--config', typed], {}, `lr in ${typed} must be a number > 0, got [1]`);
    await bad(['--config', fileOf('[]')], {}, 'must hold one JSON object');
    await bad(['--config', fileOf('lr: 1\n')], {}, 'config.json: it looks like YAML, wanted JSON');
    await bad(
      ['--config', fileOf('{"lr": 0.1,}')],
      {},
      'it is not JSON at line 1, column 12: wanted a text in double quotes, got "}", in: {"lr": 0.1,}',
    );
    const folder = path.dirname(file);
    await bad(['--config', folder], {}, `${folder}: it is a folder; give the file ${path.join(folder, 'config.json')}`);
    await bad(['--config', temporaryFolder()], {}, 'it is a folder\n');
  });

  it('with what was probably meant', async () => {
    const bad = async (content: object, env: Record<string, string>, message: string) => {
      const { code, stderr } = await runMain(['--config', fileOf(content)], env);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    };
    await bad({ learning_rate: 1 }, {}, "seed, dataset, val, trainLimit. Did you mean 'lr'?");
    await bad({ batch_size: 1 }, {}, "Did you mean 'batchSize'?");
    await bad({ optimzer: 1 }, {}, "Did you mean 'optimizer'?");
    await bad({ toString: 1 }, {}, 'is not a hyperparameter; the hyperparameters are');
    await bad({ optimizer: 'adam' }, {}, "must be one of sgd, adamw, muon, got adam. Did you mean 'adamw'?");
    await bad(
      {},
      { NN_TRAIN_SCHEDULE: 'cosin' },
      "NN_TRAIN_SCHEDULE must be one of constant, step, linear, cosine, got cosin. Did you mean 'cosine'?",
    );
    await bad(
      {},
      { NN_TRAIN_LEARNING_RATE: '1' },
      "NN_TRAIN_LEARNING_RATE is not a variable of nn-train. Did you mean 'NN_TRAIN_LR'?",
    );
    await bad({}, { NN_TRAIN_DEVICE: 'cpu' }, "Did you mean 'NN_TRAIN_BACKEND'?");
    await bad({}, { NN_TRAIN_DATA: '/data' }, "Did you mean 'NN_TRAIN_DATASET' or 'NN_TRAIN_DATA_DIR'?");
    await bad({}, { NN_TRAIN_LERNING_RATE: '3' }, "Did you mean 'NN_TRAIN_LR'?");
    expect(await config([], { NN_TRAIN_CHROMIUM: '/chromium', NN_TRAIN_DATA_DIR: '/data' })).toEqual(await config([]));
    const { stderr } = await runMain(['bench', '--backend', 'simd']);
    expect(stderr).toContain("--backend must be one of auto, wasm, reference, got simd. Did you mean 'wasm'?");
  });
});

describe('a variable that does not exist', () => {
  const message =
    'error: NN_TRAIN_XYZ is not a variable of nn-train; unset it, or name it after an option, as NN_TRAIN_BATCH_SIZE is after --batch-size\n';

  it.each([[['--print-config']], [['--resume', '/nowhere']], [['eval', '/nowhere']], [['data', 'path']], [['bench']]])(
    'is an error of %j',
    async (args) => {
      expect(await runMain(args, { NN_TRAIN_XYZ: '1' })).toEqual({ code: 2, stdout: '', stderr: message });
    },
  );

  it('is none of help, nor if it is empty or has another prefix', async () => {
    expect((await runMain(['help', 'eval'], { NN_TRAIN_XYZ: '1' })).code).toBe(0);
    expect((await runMain(['--version'], { NN_TRAIN_XYZ: '1' })).code).toBe(0);
    expect(await config([], { NN_TRAIN_XYZ: '', NN_TRAINING: '1' })).toEqual(await config([]));
  });

  it('is none of those that the documentation and the tests name', async () => {
    const named = [...readPages(), readPage('CONTRIBUTING.md')].flatMap(
      ({ text }) => text.match(/NN_TRAIN_[A-Z0-9_]+/g) ?? [],
    );
    const values: Record<string, string> = { NN_TRAIN_CHROMIUM: '/chromium', NN_TRAIN_QUEUE: 'redis://localhost' };
    expect(named.length).toBeGreaterThan(5);
    const hyperparameters = FIELD_LIST.map(([key]) => `NN_TRAIN_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`);
    for (const name of named) if (!hyperparameters.includes(name)) values[name] ??= '1';
    expect(await config([], values)).toEqual(await config([]));
  });
});

describe('help', () => {
  it('shows every option with its default, and examples, in 80 columns', async () => {
    const { code, stdout } = await runMain(['--help']);
    expect(code).toBe(0);
    for (const [key, field] of FIELD_LIST) {
      expect(stdout).toContain(`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
      expect(stdout.replace(/\s+/g, ' ')).toContain(`(default: ${field.shownDefault ?? field.default})`);
    }
    expect(stdout).toContain('$ nn-train --model linear');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});
