import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBackend } from '../../src/backends/select.ts';
import { type Config, resolveConfig } from '../../src/config/config.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { diagnose, type RunToExamine } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { judgeCurves } from '../../src/doctor/saved-run.ts';
import { type Gradient, store } from '../../src/engine/gate.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { allocateImageSet, type ImageSet } from '../../src/images.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { Random } from '../../src/random.ts';
import { type EpochMetrics, NO_TIME, START } from '../../src/training/progress.ts';

/** What training starts from, on fewer images and with fewer hidden units than usual. */
const LINEAR = resolveConfig({ model: 'linear' });
const MLP = resolveConfig({ model: 'mlp', hidden: 24 });
const DRAWN = syntheticDataset({ trainCount: 3500, testCount: 500 });

/** A copy, which a test may damage. */
function images(): Dataset {
  const copy = (set: ImageSet): ImageSet => {
    const { images, labels } = allocateImageSet(set.labels.length);
    images.set(set.images);
    labels.set(set.labels);
    return { images, labels };
  };
  const { classes, train, test } = DRAWN;
  return { name: 'synthetic', source: 'generated', sha256: '', classes, train: copy(train), test: copy(test) };
}

/** All findings, by name. */
async function examine(
  config: Config,
  { dataset = images(), run }: { dataset?: Dataset; run?: RunToExamine } = {},
): Promise<Map<string, Finding>> {
  const backend = await createBackend({ threads: 1 });
  const findings = new Map<string, Finding>();
  for await (const finding of diagnose({ config, dataset, backend, run })) findings.set(finding.name, finding);
  backend.close();
  return findings;
}

function named(findings: Map<string, Finding>, ...verdicts: Finding['verdict'][]): string[] {
  return [...findings.values()].filter(({ verdict }) => verdicts.includes(verdict)).map(({ name }) => name);
}

describe('the defaults pass every check', () => {
  it.each([
    ['linear', LINEAR, 13],
    ['linear, hinge', resolveConfig({ model: 'linear', loss: 'hinge' }), 13],
    ['linear, adamw', resolveConfig({ model: 'linear', optimizer: 'adamw' }), 13],
    ['mlp', MLP, 14],
    ['mlp, adamw', resolveConfig({ model: 'mlp', hidden: 24, optimizer: 'adamw' }), 14],
  ])('%s', async (_, config, checks) => {
    const findings = await examine(config);
    const shown = [...findings.values()].filter(({ verdict }) => verdict !== 'ok');
    expect(shown).toEqual([]);
    expect(findings.size).toBe(checks);
    for (const { advice, evidence } of findings.values())
      expect([advice, evidence]).toEqual([null, expect.any(String)]);
  });
});

describe('a learning rate 100 times off is bad', () => {
  const recipes = [LINEAR, MLP, resolveConfig({ model: 'mlp', hidden: 24, optimizer: 'adamw' })];
  it.each(recipes.map((config) => [`${config.model}, ${config.optimizer}`, config] as const))(
    '%s',
    async (_, config) => {
      const high = (await examine({ ...config, lr: 100 * config.lr })).get('learning rate')!;
      expect(high).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('times too high') });
      const low = (await examine({ ...config, lr: config.lr / 100 })).get('learning rate')!;
      expect(low).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('times too low') });
      // The rate that it suggests is near the usual one.
      for (const { numbers } of [high, low]) {
        expect(Math.abs(Math.log10((numbers.best as number) / config.lr))).toBeLessThan(1.5);
      }
    },
  );
});

describe('images and labels', () => {
  it('shuffled labels are found by the control', async () => {
    const dataset = images();
    dataset.train.labels.set(new Random(7).shuffle(Uint32Array.from(dataset.train.labels)));
    for (const config of [LINEAR, MLP]) {
      const findings = await examine(config, { dataset });
      expect(named(findings, 'bad')).toEqual(['labels']);
      expect(findings.get('labels')!.advice).toContain('tell nothing of the images');
      expect(findings.get('learning rate')!.advice).toContain('learns anything');
    }
  });

  it('shuffled labels of the test images are found by comparison', async () => {
    const dataset = images();
    dataset.test.labels.set(new Random(7).shuffle(Uint32Array.from(dataset.test.labels)));
    expect(named(await examine(LINEAR, { dataset }), 'bad')).toEqual(['test images']);
  });

  it('test images among the training images are found', async () => {
    const dataset = images();
    dataset.train.images.set(dataset.test.images.subarray(0, 5 * 3072), 100 * 3072);
    const findings = await examine(LINEAR, { dataset });
    expect(named(findings, 'bad')).toEqual(['duplicates']);
    expect(findings.get('duplicates')!.numbers.between).toBe(5);
  });

  it('labels out of range end the examination', async () => {
    const dataset = images();
    dataset.train.labels[0] = 11;
    expect([...(await examine(LINEAR, { dataset })).keys()]).toEqual(['origin', 'classes']);
  });
});

describe('the model', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('a broken gradient is found, and named', async () => {
    const { backward } = linear;
    vi.spyOn(linear, 'backward').mockImplementation((backend, at) => {
      const gradients = backward(backend, at);
      const bias: Gradient = (into) => {
        const [right, one] = [backend.allocate(at.inputs.bias.shape), backend.allocate([])];
        gradients.bias!(store(right));
        backend.write(one, [1]);
        backend.scale(right, 1.01, one, into);
      };
      return { ...gradients, bias };
    });
    for (const config of [LINEAR, MLP]) {
      const findings = await examine(config);
      expect(named(findings, 'bad')).toEqual(['gradients']);
      expect(findings.get('gradients')!.advice).toContain('the backward of linear by bias');
    }
  });

  it('weights that start too large are found', async () => {
    const findings = await examine({ ...LINEAR, init: 'normal', initStd: 0.3 });
    expect(findings.get('initial loss')!.verdict).toBe('bad');
    const saturated = await examine({ ...MLP, activation: 'tanh', init: 'normal', initStd: 1 });
    expect(saturated.get('hidden units')!.verdict).toBe('bad');
  });

  it('a model that is too small to learn 20 images by heart is found', async () => {
    const findings = await examine({ ...MLP, hidden: 1 });
    expect(findings.get('overfitting')!.verdict).toBe('bad');
  });
});

describe('a run', () => {
  /** A run of initial weights, in which the first units have a bias far below zero. */
  async function runWith(config: Config, bias: number, deadUnits: number): Promise<RunToExamine> {
    const backend = await createBackend({ backend: 'reference' });
    const model = buildModel(backend, config, 1);
    initialise(model, config);
    const tensors = new Map();
    for (const { name, tensor, shape } of model.graph.parameters) {
      const values = Float32Array.from(await backend.read(tensor));
      if (name === 'fc1.bias') values.fill(bias, 0, deadUnits);
      tensors.set(name, { shape, values });
    }
    return { checkpoint: { progress: START, times: NO_TIME, tensors }, epochs: [], hasItsImages: true };
  }

  it('dead units are found, as many as there are', async () => {
    const findings = await examine(MLP, { run: await runWith(MLP, -1000, 15) });
    expect(findings.get('hidden units')).toMatchObject({
      verdict: 'bad',
      evidence: expect.stringContaining('in the run 15 of 24 dead'),
      advice: expect.stringContaining('leaky-relu'),
    });
    const some = await examine(MLP, { run: await runWith(MLP, -1000, 4) });
    expect(some.get('hidden units')!.verdict).toBe('warning');
  });

  it('weights that are no numbers are found', async () => {
    const findings = await examine(MLP, { run: await runWith(MLP, Number.NaN, 1) });
    expect(findings.get('run weights')).toMatchObject({
      verdict: 'bad',
      evidence: expect.stringContaining('fc1.bias'),
    });
  });

  it('that logged another accuracy than its weights have is found', async () => {
    const run = await runWith(LINEAR, 0, 0);
    const epoch = (number: number, loss: number, accuracy: number): EpochMetrics => ({
      epoch: number,
      step: 10 * number,
      train: { loss, accuracy },
      validation: { loss, accuracy: 0.9 },
      learningRate: 0.1,
      imagesPerSecond: 1,
      seconds: 1,
    });
    const epochs = [epoch(1, 2.3, 0.1), epoch(2, 1, 0.9)];
    const checkpoint = { ...run.checkpoint, progress: { ...START, step: 20, lastEpoch: epochs[1] } };
    const findings = await examine(LINEAR, { run: { ...run, checkpoint, epochs } });
    expect(named(findings, 'bad')).toEqual(['run weights']);
    expect(findings.get('run curves')!.verdict).toBe('ok');

    expect(judgeCurves([epochs[0], { ...epochs[0], epoch: 2 }]).verdict, 'a flat curve').toBe('bad');
    const byHeart = { ...epochs[1], validation: { loss: 2, accuracy: 0.6 } };
    expect(judgeCurves([epochs[0], byHeart]).verdict, 'a gap').toBe('warning');
  });

  it('that no epoch ended in is a warning', async () => {
    const findings = await examine(MLP, { run: await runWith(MLP, 0, 0) });
    expect(findings.get('run curves')!.verdict).toBe('warning');
    expect(findings.get('run weights')!.verdict).toBe('ok');
  });
});

it('stops when it is told to', async () => {
  const backend = await createBackend({ threads: 1 });
  const stop = new AbortController();
  const reason = new Error('enough');
  const onProgress = (check: string) => {
    if (check === 'gradients') stop.abort(reason);
  };
  const findings: string[] = [];
  const running = async () => {
    const options = { config: LINEAR, dataset: images(), backend, signal: stop.signal, onProgress };
    for await (const { name } of diagnose(options)) findings.push(name);
  };
  await expect(running()).rejects.toBe(reason);
  expect(findings.at(-1)).toBe('overfitting');
  backend.close();
});
