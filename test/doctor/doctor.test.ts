import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBackend } from '../../src/backends/select.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { diagnose, type RunToCheck } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { judgeCurves } from '../../src/doctor/saved-run.ts';
import { type Gradient, store } from '../../src/engine/gate.ts';
import { linear } from '../../src/engine/gates/linear.ts';
import { allocateImageSet, type ImageSet } from '../../src/images.ts';
import { initialise } from '../../src/models/initialise.ts';
import { buildModel } from '../../src/models/model.ts';
import { Random } from '../../src/random.ts';
import { type EpochMetrics, INITIAL_PROGRESS, ZERO_TIMES } from '../../src/training/progress.ts';

/** The default configurations, with fewer hidden units and on fewer images than usual. */
const LINEAR = resolveConfig({ model: 'linear' });
const MLP = resolveConfig({ recipe: 'plain', model: 'mlp', hidden: 24 });
const LOCAL = resolveConfig({ model: 'mlp', recipe: 'fast', hidden: 6 });
const DATASET = syntheticDataset({ trainCount: 3500, testCount: 500 });

/** A copy that a test may damage. */
function copyDataset(): Dataset {
  const copy = (set: ImageSet): ImageSet => {
    const { images, labels } = allocateImageSet(set.labels.length);
    images.set(set.images);
    labels.set(set.labels);
    return { images, labels };
  };
  const { classes, train, test } = DATASET;
  return { name: 'synthetic', source: 'generated', sha256: '', classes, train: copy(train), test: copy(test) };
}

interface Examined {
  readonly dataset?: Dataset;
  readonly run?: RunToCheck;
  /** Name of the last finding that is wanted. The later ones are the most work. */
  readonly until?: string;
}

/** Returns the findings by name, with their advice as text. */
async function findingsOf(
  config: Config,
  { dataset = copyDataset(), run, until }: Examined = {},
): Promise<Map<string, Finding>> {
  const backend = await createBackend({ threads: 1 });
  const findings = new Map<string, Finding>();
  for await (const finding of diagnose({ config, dataset, backend, run })) {
    findings.set(finding.name, { ...finding, advice: finding.advice && String(finding.advice) });
    if (finding.name === until) break;
  }
  backend.close();
  return findings;
}

function namesOf(findings: Map<string, Finding>, ...verdicts: Finding['verdict'][]): string[] {
  return [...findings.values()].filter(({ verdict }) => verdicts.includes(verdict)).map(({ name }) => name);
}

describe('the defaults pass every check', () => {
  it.each([
    ['linear', LINEAR, 13],
    ['linear, hinge', resolveConfig({ model: 'linear', loss: 'hinge' }), 13],
    ['linear, adamw', resolveConfig({ model: 'linear', optimizer: 'adamw' }), 13],
    ['mlp', MLP, 14],
    ['mlp, adamw', resolveConfig({ recipe: 'plain', model: 'mlp', hidden: 24, optimizer: 'adamw' }), 14],
    ['mlp, fast', LOCAL, 14],
    ['mlp, fast, hinge', resolveConfig({ model: 'mlp', recipe: 'fast', hidden: 6, loss: 'hinge', seed: 1 }), 14],
  ])('%s', async (_, config, checks) => {
    const findings = await findingsOf(config);
    const failed = [...findings.values()].filter(({ verdict }) => verdict !== 'ok');
    expect(failed).toEqual([]);
    expect(findings.size).toBe(checks);
    for (const { advice, evidence } of findings.values())
      expect([advice, evidence]).toEqual([null, expect.any(String)]);
  });
});

describe('a learning rate that is wrong by a factor of 100 is bad', () => {
  const recipes = [
    LINEAR,
    MLP,
    LOCAL,
    resolveConfig({ recipe: 'plain', model: 'mlp', hidden: 24, optimizer: 'adamw' }),
  ];
  it.each(recipes.map((config) => [`${config.model}, ${config.optimizer}`, config] as const))(
    '%s',
    async (_, config) => {
      const atRate = async (lr: number) =>
        (await findingsOf({ ...config, lr }, { until: 'learning rate' })).get('learning rate')!;
      const high = await atRate(100 * config.lr);
      expect(high).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('times too high') });
      const low = await atRate(config.lr / 100);
      expect(low).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('times too low') });
      // The suggested rate is near the default one.
      for (const { numbers } of [high, low]) {
        expect(Math.abs(Math.log10((numbers.best as number) / config.lr))).toBeLessThan(1.5);
      }
    },
  );
});

describe('images and labels', () => {
  it('the permutation control finds shuffled labels', async () => {
    const dataset = copyDataset();
    dataset.train.labels.set(new Random(7).shuffle(Uint32Array.from(dataset.train.labels)));
    for (const config of [LINEAR, MLP]) {
      const findings = await findingsOf(config, { dataset });
      expect(namesOf(findings, 'bad')).toEqual(['labels']);
      expect(findings.get('labels')!.advice).toContain('do not describe the images');
      expect(findings.get('learning rate')!.advice).toContain('learns anything');
    }
  });

  it('the comparison with held-out images finds shuffled test labels', async () => {
    const dataset = copyDataset();
    dataset.test.labels.set(new Random(7).shuffle(Uint32Array.from(dataset.test.labels)));
    expect(namesOf(await findingsOf(LINEAR, { dataset }), 'bad')).toEqual(['test images']);
  });

  it('finds test images in the training set', async () => {
    const dataset = copyDataset();
    dataset.train.images.set(dataset.test.images.subarray(0, 5 * 3072), 100 * 3072);
    const findings = await findingsOf(LINEAR, { dataset });
    expect(namesOf(findings, 'bad')).toEqual(['duplicates']);
    expect(findings.get('duplicates')!.numbers.between).toBe(5);
  });

  it('stops at labels out of range', async () => {
    const dataset = copyDataset();
    dataset.train.labels[0] = 11;
    expect([...(await findingsOf(LINEAR, { dataset })).keys()]).toEqual(['origin', 'classes']);
  });
});

describe('the model', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('finds and names a broken gradient', async () => {
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
    for (const [config, until] of [[LINEAR, undefined] as const, [MLP, 'gradients'] as const]) {
      const findings = await findingsOf(config, until && { until });
      expect(namesOf(findings, 'bad')).toEqual(['gradients']);
      expect(findings.get('gradients')!.advice).toContain('the backward of linear with respect to bias');
    }
  });

  it('finds initial weights that are too large', async () => {
    const findings = await findingsOf({ ...LINEAR, init: 'normal', initStd: 0.3 }, { until: 'initial loss' });
    expect(findings.get('initial loss')!.verdict).toBe('bad');
    const tanh: Config = { ...MLP, activation: 'tanh', init: 'normal', initStd: 1 };
    const saturated = await findingsOf(tanh, { until: 'hidden units' });
    expect(saturated.get('hidden units')!.verdict).toBe('bad');
  });

  it('finds a model that is too small to memorize 20 images', async () => {
    const findings = await findingsOf({ ...MLP, hidden: 1 }, { until: 'overfitting' });
    expect(findings.get('overfitting')!.verdict).toBe('bad');
  });
});

describe('a run', () => {
  /** A run with initial weights, in which the first `deadUnits` units have the given bias. */
  async function runWith(config: Config, bias: number, deadUnits: number): Promise<RunToCheck> {
    const backend = await createBackend({ backend: 'reference' });
    const model = buildModel(backend, config, 1);
    initialise(model, config);
    const tensors = new Map();
    for (const { name, tensor, shape } of model.graph.parameters) {
      const values = Float32Array.from(await backend.read(tensor));
      if (name === 'fc1.bias') values.fill(bias, 0, deadUnits);
      tensors.set(name, { shape, values });
    }
    return { checkpoint: { progress: INITIAL_PROGRESS, times: ZERO_TIMES, tensors }, epochs: [], isSameDataset: true };
  }

  it('counts dead units', async () => {
    const findings = await findingsOf(MLP, { run: await runWith(MLP, -1000, 15), until: 'hidden units' });
    expect(findings.get('hidden units')).toMatchObject({
      verdict: 'bad',
      evidence: expect.stringContaining('in the run 15 of 24 dead'),
      advice: expect.stringContaining('leaky-relu'),
    });
    const some = await findingsOf(MLP, { run: await runWith(MLP, -1000, 4), until: 'hidden units' });
    expect(some.get('hidden units')!.verdict).toBe('warning');
  });

  it('finds NaN weights', async () => {
    const findings = await findingsOf(MLP, { run: await runWith(MLP, Number.NaN, 1), until: 'run weights' });
    expect(findings.get('run weights')).toMatchObject({
      verdict: 'bad',
      evidence: expect.stringContaining('fc1.bias'),
    });
  });

  it('finds weights that do not have the logged accuracy', async () => {
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
    const checkpoint = { ...run.checkpoint, progress: { ...INITIAL_PROGRESS, step: 20, lastEpoch: epochs[1] } };
    const findings = await findingsOf(LINEAR, { run: { ...run, checkpoint, epochs } });
    expect(namesOf(findings, 'bad')).toEqual(['run weights']);
    expect(findings.get('run curves')!.verdict).toBe('ok');

    expect(judgeCurves([epochs[0], { ...epochs[0], epoch: 2 }]).verdict, 'a flat curve').toBe('bad');
    const memorized = { ...epochs[1], validation: { loss: 2, accuracy: 0.6 } };
    expect(judgeCurves([epochs[0], memorized]).verdict, 'a gap').toBe('warning');
  });

  it('gets a warning if no epoch has finished', async () => {
    const findings = await findingsOf(MLP, { run: await runWith(MLP, 0, 0), until: 'run weights' });
    expect(findings.get('run curves')!.verdict).toBe('warning');
    expect(findings.get('run weights')!.verdict).toBe('ok');
  });
});

it('stops when the signal is aborted', async () => {
  const backend = await createBackend({ threads: 1 });
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = (check: string) => {
    if (check === 'gradients') controller.abort(reason);
  };
  const findings: string[] = [];
  const running = async () => {
    const options = { config: LINEAR, dataset: copyDataset(), backend, signal: controller.signal, onProgress };
    for await (const { name } of diagnose(options)) findings.push(name);
  };
  await expect(running()).rejects.toBe(reason);
  expect(findings.at(-1)).toBe('overfitting');
  backend.close();
});
