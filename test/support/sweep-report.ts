import { Random } from '../../src/random.ts';
import type { SweepReport, SweptParameter, TrialReport, Value } from '../../src/report/sweep/sweep-data.ts';

export interface SampleSweepOptions {
  readonly trials?: number;
  readonly planned?: number;
  readonly state?: SweepReport['state'];
  readonly dataset?: SweepReport['dataset']['name'];
  readonly metric?: SweepReport['metric']['name'];
  /** Epochs; several for halving, of which a third goes on each time. */
  readonly rungs?: readonly number[];
  readonly parameters?: readonly SweptParameter[];
  /** Whether all trials diverge. */
  readonly diverges?: boolean;
  readonly seeds?: number;
  readonly borders?: readonly string[];
  readonly name?: string;
}

const lr: SweptParameter = { name: 'lr', scale: 'log', domain: [1e-4, 1] };
export const PARAMETERS: readonly SweptParameter[] = [
  lr,
  { name: 'hidden', scale: 'log', domain: [32, 512] },
  { name: 'weightDecay', scale: 'log', domain: [1e-6, 1e-2] },
  { name: 'dropout', scale: 'linear', domain: [0, 0.5] },
  { name: 'optimizer', scale: 'choice', domain: ['sgd', 'adamw', 'muon'] },
  { name: 'batchSize', scale: 'choice', domain: [64, 128, 256] },
];

/** Twenty hyperparameters, more than fit side by side. */
export const MANY: readonly SweptParameter[] = [
  ...PARAMETERS,
  ...Array.from(
    { length: 14 },
    (_, i): SweptParameter => ({ name: `factor${i + 1}`, scale: 'linear', domain: [0, 1] }),
  ),
];

/** Sample data for the page of a sweep: accuracy is best near lr 0.02 and rises with the hidden units; high rates diverge. */
export function sampleSweep(options: SampleSweepOptions = {}): SweepReport {
  const { trials = 24, state = 'finished', rungs = [1, 3, 9], parameters = PARAMETERS, seeds = 3 } = options;
  const metric = options.metric ?? 'validation.accuracy';
  const random = new Random(11, 'sweep');
  const drawn = Array.from({ length: trials }, (_, i) =>
    sampleTrial(i, rungs.at(-1)!, parameters, random, options.diverges),
  );
  const all = halved(drawn, rungs).map((trial) => withScore(trial, metric));
  if (trials > 9 && !options.diverges) {
    all[8] = {
      ...all[8],
      state: 'failed',
      score: null,
      validation: null,
      curve: [],
      epochs: 0,
      error: 'the worker ran out of memory',
    };
    all[9] = { ...all[5], trial: 9, seconds: 0, sameAs: 5 };
  }
  const sign = metric === 'validation.loss' ? 1 : -1;
  const ranking = all
    .filter(({ score, sameAs }) => score !== null && sameAs === undefined)
    .sort((a, b) => b.epochs - a.epochs || sign * (a.score! - b.score!))
    .map(({ trial, score, epochs }) => {
      const isFinalist = epochs === rungs.at(-1) && rungs.length > 1 && seeds > 1;
      return { trial, mean: score!, deviation: isFinalist ? 0.0023 : null, seeds: isFinalist ? seeds : 1 };
    });
  const winner = state === 'finished' ? all.find(({ trial }) => trial === ranking[0]?.trial) : undefined;
  return {
    generator: 'nn-train 0.1.0',
    name: options.name ?? 'sweeps/mlp-20261126-104500',
    state,
    ...(state === 'stopped' ? { resumeCommand: 'nn-train sweep --resume sweeps/mlp-20261126-104500' } : {}),
    method: 'tpe',
    seed: 0,
    metric: { name: metric, goal: sign === 1 ? 'minimize' : 'maximize' },
    dataset: { name: options.dataset ?? 'cifar10', source: '/data/cifar-10-batches-bin', sha256: '86'.repeat(32) },
    rungs,
    planned: options.planned ?? trials,
    parameters,
    base: { model: 'mlp', loss: 'softmax', epochs: rungs.at(-1)!, schedule: 'cosine', flip: true, earlyStop: null },
    trials: all,
    ranking,
    winner: winner ? sampleWinner(winner, options.borders ?? []) : null,
  };
}

function sampleWinner({ trial, values, score }: TrialReport, borders: readonly string[]): SweepReport['winner'] {
  const accuracy = Math.min(0.6, score!) - 0.004;
  const flags = Object.entries(values).map(
    ([name, value]) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} ${value}`,
  );
  return {
    trial,
    command: `nn-train --model mlp --epochs 9 ${flags.join(' ')}`,
    config: { model: 'mlp', loss: 'softmax', epochs: 9, schedule: 'cosine', flip: true, earlyStop: null, ...values },
    test: { accuracy, loss: 1.31, images: 10_000, interval: [accuracy - 0.0098, accuracy + 0.0097] },
    borders,
  };
}

function draw({ scale, domain }: SweptParameter, random: Random): Value {
  const share = random.uniform();
  if (scale === 'choice') return domain[Math.floor(share * domain.length)];
  const [low, high] = domain.map(Number);
  const value = scale === 'log' ? Math.exp(Math.log(low) + share * Math.log(high / low)) : low + share * (high - low);
  return low >= 2 ? Math.round(value) : value;
}

type Drawn = TrialReport & { readonly whole: TrialReport['curve'] };

function sampleTrial(
  trial: number,
  epochs: number,
  parameters: readonly SweptParameter[],
  random: Random,
  diverges = false,
): Drawn {
  const all: Record<string, Value> = Object.fromEntries(parameters.map((one) => [one.name, draw(one, random)]));
  // Trial 0 has the defaults, and momentum-like fields have no effect with every optimiser.
  if (trial === 0 && 'lr' in all) all.lr = 0.05;
  const { dropout, ...others } = all;
  const values = all.optimizer === 'muon' ? others : all;
  const rate = Number(all.lr ?? 0.02);
  const isDiverged = diverges || rate > 0.6;
  const peak =
    0.56 -
    0.06 * Math.log10(rate / 0.02) ** 2 +
    0.03 * Math.log(Number(all.hidden ?? 128) / 128) +
    0.012 * random.normal();
  const limit = Math.max(0.1, peak);
  const whole = Array.from({ length: isDiverged ? 1 : epochs }, (_, i) => {
    const accuracy = Math.max(0.08, limit * (1 - 0.45 * Math.exp(-0.5 * (i + 1))) + 0.006 * random.normal());
    const validation = { accuracy, loss: 2.9 - 2.9 * accuracy };
    return { epoch: i + 1, train: { accuracy: accuracy + 0.02, loss: validation.loss - 0.05 }, validation };
  });
  return {
    trial,
    values,
    state: isDiverged ? 'diverged' : 'finished',
    epochs: 0,
    score: null,
    validation: null,
    seconds: 0,
    curve: [],
    whole,
    ...(isDiverged ? { error: 'the loss became infinite in step 213' } : {}),
  };
}

/** Stops trials that are not in the best third of their rung. */
function halved(trials: readonly Drawn[], rungs: readonly number[]): Drawn[] {
  const last = new Map<number, number>(trials.map(({ trial }) => [trial, rungs[0]]));
  let going = trials.filter(({ state }) => state === 'finished');
  for (const [i, epochs] of rungs.entries()) {
    for (const { trial } of going) last.set(trial, epochs);
    const at = ({ whole }: Drawn) => whole[epochs - 1].validation!.accuracy;
    if (i < rungs.length - 1) going = [...going].sort((a, b) => at(b) - at(a)).slice(0, Math.ceil(going.length / 3));
  }
  return trials.map((trial): Drawn => {
    const epochs = trial.state === 'diverged' ? 0 : last.get(trial.trial)!;
    const curve = trial.whole.slice(0, epochs);
    const state = trial.state === 'finished' && epochs < rungs.at(-1)! ? 'eliminated' : trial.state;
    return {
      ...trial,
      state,
      epochs,
      curve,
      validation: curve.at(-1)?.validation ?? null,
      seconds: 0.9 * epochs + 0.4,
    };
  });
}

function withScore({ whole, ...trial }: Drawn, metric: SweepReport['metric']['name']): TrialReport {
  const key = metric === 'validation.loss' ? 'loss' : 'accuracy';
  return { ...trial, score: trial.validation?.[key] ?? null };
}
