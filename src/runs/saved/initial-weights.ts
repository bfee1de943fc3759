import type { Config } from '../../config/config.ts';
import { UsageError } from '../../errors.ts';
import { field, type Message, message } from '../../message.ts';
import type { Checkpoint } from '../../training/progress.ts';
import { weightsNamedBy } from '../find-run.ts';
import { readRun } from '../open-run.ts';
import type { RunRecord } from '../record.ts';

/** Weights of a saved run, from which another begins. */
export interface InitialWeights {
  /** What the new run records of them. */
  readonly origin: NonNullable<RunRecord['initFrom']>;
  readonly config: Config;
  readonly tensors: Checkpoint['tensors'];
}

/** Reads the last weights of a saved run, or its best ones if the path names them. @param given the run, or a file in it.
 *  @throws UsageError if there is no run; FileError or UserError if a file cannot be read or is damaged; DivergedError if a weight
 *  is NaN or infinite. */
export async function readInitialWeights(given: string): Promise<InitialWeights> {
  const { directory, record } = await readRun(given);
  const weights = weightsNamedBy(given) ?? 'last';
  const { config } = record;
  const { checkpoint, sha256 } = await directory.loadHashed(weights, config);
  return { origin: { run: directory.path, weights, sha256 }, config, tensors: checkpoint.tensors };
}

/** Hyperparameters that say what the weights mean. */
const ARCHITECTURE = ['model', 'hidden', 'receptiveField', 'receptiveStride', 'activation'] as const;

/** @throws UsageError, naming what differs, if weights are those of another network than that of a configuration. */
export function expectSameArchitecture(config: Config, { config: theirs, origin }: InitialWeights): void {
  const keys = config.model === theirs.model && config.model === 'linear' ? [] : ARCHITECTURE;
  const differing = keys.filter((key) => config[key] !== theirs[key]);
  // The other hyperparameters of two models cannot be compared.
  const named = differing.includes('model') ? (['model'] as const) : differing;
  if (named.length === 0) return;
  const list = (of: (key: (typeof ARCHITECTURE)[number]) => Message) =>
    named.map(of).reduce((before, next) => message`${before}, ${next}`);
  const differences = list((key) => message`${field(key)} is ${config[key]}, but ${theirs[key]} in ${origin.run}`);
  const wanted = theirs.model === 'linear' ? message`${field('model', 'linear')}` : settings(theirs);
  throw new UsageError(message`${differences}; weights fit the same network only: set ${wanted}`);
}

/** All settings of a network, which can be pasted. */
function settings(config: Config): Message {
  const keys = ARCHITECTURE.filter((key) => key !== 'receptiveStride' || config.receptiveField < 32);
  return keys.map((key) => message`${field(key, config[key])}`).reduce((before, next) => message`${before} ${next}`);
}
