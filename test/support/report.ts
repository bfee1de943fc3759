import { CLASSES } from '../../src/dataset/cifar10.ts';
import { encodePng } from '../../src/pictures/encode.ts';
import { Random } from '../../src/random.ts';
import type { ReportData, RunReport, TestReport, WeightPictures } from '../../src/report/report-data.ts';

const STEPS_PER_EPOCH = 192;
const SHA256 = { cifar10: '86'.repeat(32), synthetic: '5a'.repeat(32) };

export interface SampleRunOptions {
  readonly name?: string;
  readonly model?: 'linear' | 'mlp';
  readonly state?: RunReport['state'];
  readonly dataset?: 'cifar10' | 'synthetic';
  readonly classes?: readonly string[];
  readonly epochs?: number;
  readonly plannedEpochs?: number;
  /** Test accuracy that the curves approach. */
  readonly accuracy?: number;
  readonly config?: RunReport['config'];
}

/** Sample data for a report page, with one run for each set of options. */
export const reportData = (...runs: readonly SampleRunOptions[]): ReportData => ({
  generator: 'nn-train 0.1.0',
  runs: runs.map(sampleRun),
});

/** Sample run with plausible curves: losses that fall and level off, update ratios that follow the learning rate. */
export function sampleRun(options: SampleRunOptions): RunReport {
  const { name = 'runs/sketch', model = 'linear', state = 'finished', plannedEpochs = 10 } = options;
  const { epochs = plannedEpochs, accuracy = model === 'mlp' ? 0.578 : 0.4185, dataset = 'cifar10' } = options;
  const random = new Random(7, name);
  const history = sampleEpochs(epochs, plannedEpochs, accuracy, random);
  const best = history.reduce((a, b) => (b.validation!.accuracy > a.validation!.accuracy ? b : a), history[0]);
  const classes = options.classes ?? CLASSES;
  const parameters = model === 'mlp' ? MLP : LINEAR;
  return {
    name,
    state,
    ...(state === 'stopped' ? { resumeCommand: `nn-train --resume ${name}` } : {}),
    config: { model, ...(model === 'mlp' ? { hidden: 512, labelSmoothing: 0.1 } : {}), ...COMMON, ...options.config },
    dataset: { name: dataset, source: '/data/cifar-10-batches-bin', sha256: SHA256[dataset], classes },
    environment: ENVIRONMENT,
    parameters,
    stepsPerEpoch: STEPS_PER_EPOCH,
    plannedEpochs,
    seconds: 0.16 * epochs,
    epochs: history,
    steps: sampleSteps(epochs, plannedEpochs, accuracy, random),
    updateRatios: parameters.map(({ name: parameter }, i) => {
      const step = Array.from({ length: 8 * epochs }, (_, at) => 1 + at * 24);
      const ratio = step.map((s) => 2e-3 * 2 ** -i * rate(s, plannedEpochs) * Math.exp(0.2 * random.normal()));
      return { parameter, step, ratio };
    }),
    bestEpoch: best?.epoch ?? null,
    test: state === 'finished' ? sampleTest(accuracy, classes, random) : null,
    pictures: state === 'finished' ? samplePictures(model, classes, random) : null,
    files: [{ name: 'config.json', bytes: 870, sha256: '0123456789abcdef'.repeat(4) }],
  };
}

const LINEAR = [
  { name: 'linear.weight', shape: [10, 3072] },
  { name: 'linear.bias', shape: [10] },
];
const MLP = [
  { name: 'hidden.weight', shape: [512, 3072] },
  { name: 'hidden.bias', shape: [512] },
  { name: 'output.weight', shape: [10, 512] },
  { name: 'output.bias', shape: [10] },
];
const COMMON = {
  loss: 'softmax',
  epochs: 10,
  batchSize: 256,
  lr: 0.05,
  schedule: 'cosine',
  warmup: 0.1,
  flip: true,
  earlyStop: null,
  seed: 0,
};
const ENVIRONMENT: RunReport['environment'] = {
  version: '0.1.0',
  node: 'v20.20.2',
  platform: 'linux-x64',
  cpu: 'AMD EPYC',
  backend: 'wasm',
  dtype: 'float32',
  threads: 2,
  vectorBits: 128,
  fma: false,
};

/** Learning rate relative to its peak: warm-up, then a cosine. */
function rate(step: number, plannedEpochs: number): number {
  const t = step / (plannedEpochs * STEPS_PER_EPOCH);
  return t < 0.1 ? t / 0.1 : 0.5 * (1 + Math.cos((Math.PI * (t - 0.1)) / 0.9));
}

const lossAt = (epoch: number, accuracy: number): number => 2.9 - 2.9 * accuracy + 0.8 * Math.exp(-epoch);
const accuracyAt = (epoch: number, accuracy: number): number => accuracy * (1 - 0.5 * Math.exp(-0.7 * epoch));

function sampleEpochs(epochs: number, planned: number, accuracy: number, random: Random): RunReport['epochs'] {
  return Array.from({ length: epochs }, (_, i) => ({
    epoch: i + 1,
    step: (i + 1) * STEPS_PER_EPOCH,
    train: { loss: lossAt(i + 0.5, accuracy), accuracy: accuracyAt(i + 0.5, accuracy) },
    validation: {
      loss: lossAt(i + 1, accuracy) + 0.06 + 0.01 * random.normal(),
      accuracy: accuracyAt(i + 1, accuracy) - 0.015 + 0.006 * random.normal(),
    },
    learningRate: 0.05 * rate((i + 1) * STEPS_PER_EPOCH, planned),
    imagesPerSecond: 300_000 + 1000 * random.normal(),
    seconds: 0.16,
  }));
}

function sampleSteps(epochs: number, planned: number, accuracy: number, random: Random): RunReport['steps'] {
  const step = Array.from(
    { length: Math.min(1000, epochs * STEPS_PER_EPOCH) },
    (_, i, all = Math.min(1000, epochs * STEPS_PER_EPOCH)) => Math.round(((i + 1) / all) * epochs * STEPS_PER_EPOCH),
  );
  return {
    step,
    loss: step.map((s) => lossAt(s / STEPS_PER_EPOCH, accuracy) + 0.06 * random.normal()),
    accuracy: step.map((s) => accuracyAt(s / STEPS_PER_EPOCH, accuracy) + 0.03 * random.normal()),
    learningRate: step.map((s) => 0.05 * rate(s, planned)),
  };
}

function sampleTest(accuracy: number, classes: readonly string[], random: Random): TestReport {
  const confusion = classes.map((_, truth) => {
    const right = Math.round(1000 * accuracy * (0.75 + 0.5 * random.uniform()));
    const shares = classes.map((_, c) => (c === truth ? 0 : random.uniform() ** 2));
    const sum = shares.reduce((a, b) => a + b, 0);
    const row = shares.map((share) => Math.floor(((1000 - right) * share) / sum));
    row[truth] = 1000 - row.reduce((a, b) => a + b, 0);
    return row;
  });
  const images = 1000 * classes.length;
  const correct = confusion.reduce((sum, row, c) => sum + row[c], 0);
  const perClass = classes.map((name, c) => ({
    name,
    images: 1000,
    correct: confusion[c][c],
    interval: wilson(confusion[c][c], 1000),
  }));
  const mistakes = Array.from({ length: 30 }, (_, i) => ({
    picture: picture(random),
    index: Math.floor(images * random.uniform()),
    label: classes[i % classes.length],
    predicted: classes[(3 * i + 1) % classes.length],
    probability: 0.99 - 0.005 * i,
    labelProbability: 0.004 + 0.001 * i,
  }));
  return {
    images,
    correct,
    accuracy: correct / images,
    loss: 2.9 * (1 - accuracy),
    interval: wilson(correct, images),
    confusion,
    perClass,
    mistakes,
  };
}

/** 95 % score interval of a proportion. Source: E. B. Wilson, "Probable Inference" (1927). */
function wilson(correct: number, images: number): [number, number] {
  const [z, p] = [1.959964, correct / images];
  const centre = p + z ** 2 / (2 * images);
  const half = z * Math.sqrt((p * (1 - p)) / images + z ** 2 / (4 * images ** 2));
  return [(centre - half) / (1 + z ** 2 / images), (centre + half) / (1 + z ** 2 / images)];
}

function samplePictures(model: 'linear' | 'mlp', classes: readonly string[], random: Random): WeightPictures {
  if (model === 'linear') {
    const pictures = classes.map((name) => ({ picture: picture(random), name, detail: '' }));
    return { kind: 'templates', pictures, total: classes.length };
  }
  const pictures = Array.from({ length: 64 }, (_, i) => ({
    picture: picture(random),
    name: `${Math.floor(512 * random.uniform())}`,
    detail: `active ${(60 - 0.5 * i).toFixed(0)} %`,
  }));
  return { kind: 'filters', pictures, total: 512 };
}

/** A noise image, which gives the largest possible PNG of 32 × 32 pixels. */
function picture(random: Random): string {
  const pixels = Uint8Array.from({ length: 3 * 32 * 32 }, () => 256 * random.uniform());
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, 32, 32)).toString('base64')}`;
}
