import { type Command, Option } from 'commander';
import { choice, integer, optionalInteger } from '../../config/field.ts';
import { METRICS } from '../../sweep/plan/definition.ts';
import { METHODS } from '../../sweep/samplers/sampler.ts';
import { addBackendOptions, type BackendFlags } from '../inputs/backend.ts';
import { addBriefHyperparameters, HYPERPARAMETERS_NOTE } from '../inputs/brief-help.ts';
import { addImageOptions, type ImageFlags } from '../inputs/shared-options.ts';
import * as format from '../terminal/format.ts';
import { addNotes } from '../terminal/help.ts';

export const METHOD = choice(METHODS, {
  help: 'grid (every combination), random, sobol (even coverage), tpe or bayes (learn from the trials before)',
  default: 'bayes',
});
export const TRIALS = integer(
  { min: 1, max: 100_000 },
  { help: 'configurations to try; the first is the defaults', default: 32, shownDefault: '32; all for grid' },
);
export const HALVING = optionalInteger(
  { min: 2, max: 100 },
  {
    help: 'compare trials early, and continue one of N; 3 with --epochs 9 compares after 1 and 3 epochs',
    default: null,
    shownDefault: 'off',
  },
);
export const SEEDS = integer(
  { min: 1, max: 100 },
  { help: 'train the five best with N seeds, from --seed on, and rank them by the mean', default: 1 },
);
export const METRIC = choice(METRICS, {
  help: 'what to rank by: validation.accuracy or validation.loss',
  default: 'validation.accuracy',
});
export const WORKERS = optionalInteger(
  { min: 1, max: 256 },
  {
    help: 'trials to train at the same time; the result is the same for any number',
    default: null,
    shownDefault: 'one for each physical core',
  },
);
/** Held out by default: with 1,000 images, chance decides between good configurations. */
export const SWEEP_VAL = 5000;

const NOTES = `
Examples:
  $ nn-train sweep --model linear --search lr --search weight-decay --epochs 5
  $ nn-train sweep --model mlp --recipe plain --search lr=1e-3..1e-1:log --search hidden=32..512:log
  $ nn-train sweep --search optimizer=sgd,adamw --search lr --trials 64 --epochs 9 --halving 3
  $ nn-train sweep --search lr=0.001,0.01,0.1 --search batch-size=64,256 --method grid --seeds 3
  $ nn-train sweep sweep.yaml --workers 4
  $ nn-train sweep --search lr --queue redis://10.0.0.1   # and on each machine: nn-train worker …
  $ nn-train sweep --search lr --method sobol --list | xargs -P 4 -I{} sh -c '{} --no-save --quiet --json'
  $ nn-train sweep --resume sweeps/linear-20261126-091500 --trials 128
  $ nn-train sweep show sweeps/linear-20261126-091500

What to search: a field alone takes its usual range; a..b is a range, a..b:log one whose
logarithm is uniform, and a,b,c are choices. Every other hyperparameter is the same for all
trials. ${HYPERPARAMETERS_NOTE}
A sweep holds out ${format.integer(SWEEP_VAL)} images for validation (--val), ranks by them, and tests the winner alone.

Ctrl-C saves; --resume goes on, with the same result as if nothing had happened.`;

/** Options of a sweep that are not hyperparameters. */
export interface SweepOptions extends BackendFlags, ImageFlags {
  readonly search?: readonly string[];
  readonly method?: string;
  readonly trials?: string;
  readonly halving?: string;
  readonly seeds?: string;
  readonly metric?: string;
  readonly workers?: string;
  readonly queue?: string;
  readonly checkpoints?: string;
  readonly out?: string;
  readonly config?: string;
  readonly resume?: string;
  readonly list?: true;
  readonly csv?: string;
  readonly open?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly progress: boolean;
}

/** Options of `nn-train sweep show`. */
export type ShowOptions = Pick<SweepOptions, 'csv' | 'open' | 'json'>;

/** The options that say what a sweep searches and how. */
export const DEFINING = ['search', 'method', 'halving', 'metric'] as const;

export function addSweepOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  command
    .argument('[file]', 'what to search, in the YAML of a W&B sweep')
    .optionsGroup('Search:')
    .addOption(
      new Option(
        '--search <field[=values]>',
        'vary a hyperparameter; can be repeated (default values: its usual range)',
      ).argParser(collect),
    )
    .option('--method <name>', `${METHOD.help} (default: ${METHOD.default})`)
    .option('--trials <n>', `${TRIALS.help} (default: ${TRIALS.shownDefault})`)
    .option('--halving <n>', `${HALVING.help} (default: ${HALVING.shownDefault})`)
    .option('--seeds <n>', `${SEEDS.help} (default: ${SEEDS.default})`)
    .option('--metric <name>', `${METRIC.help} (default: ${METRIC.default})`);
  addBriefHyperparameters(command);
  command
    .optionsGroup('Execution:')
    .option('--workers <n>', `${WORKERS.help} (default: ${WORKERS.shownDefault})`)
    .option(
      '--queue <url>',
      'let workers on any machine train, through a Redis server such as redis://host; see nn-train worker --help ' +
        '(default: NN_TRAIN_QUEUE)',
    )
    .option(
      '--checkpoints <folder>',
      'with a queue: the folder that its workers share, to find the winner there (default: none; the winner is trained again)',
    );
  addBackendOptions(command, 'for each trial, the physical cores divided by the workers')
    .optionsGroup('Output:')
    .option('--out <folder>', 'folder for the sweep (default: a new folder in sweeps/)')
    .option('--resume <sweep>', 'continue a sweep; with --trials or --seeds, extend it')
    .option('--config <file>', 'read the hyperparameters of all trials from a file')
    .option('--list', 'print the command of each trial instead of training (grid, random, sobol)');
  addResultOptions(command).option('--quiet', 'print only the results').option('--no-progress', 'show no live table');
  return addNotes(command, NOTES);
}

/** Options of how results are shown. */
function addResultOptions(command: Command): Command {
  return command
    .option('--csv <file>', 'write all trials to a CSV file')
    .option('--open', 'open the report in a browser')
    .option('--json', 'print one JSON object with the results on stdout');
}

const SHOW_NOTES = `
Examples:
  $ nn-train sweep show sweeps/linear-20261126-091500
  $ nn-train sweep show sweeps/linear-20261126-091500 --json | jq .winner.command

The sweep may be running. Of a sweep that does not run, the page is written again.`;

export function addShowOptions(command: Command): Command {
  addResultOptions(command.argument('<sweep>', 'folder of the sweep'));
  return addNotes(command, SHOW_NOTES);
}

/** Options of `nn-train worker`. */
export interface WorkerOptions extends BackendFlags, ImageFlags {
  readonly queue?: string;
  readonly workers?: string;
  readonly checkpoints?: string;
  readonly dataset?: string;
  readonly quiet?: true;
}

/** The images of a worker. It must not train on stand-in images because those it should have are missing. */
export const WORKER_DATASET = choice(['cifar10', 'synthetic'], {
  help: 'the images of the sweep: cifar10 or synthetic',
  default: 'cifar10',
});

const WORKER_NOTES = `
Examples:
  $ nn-train worker --queue redis://10.0.0.1
  $ NN_TRAIN_QUEUE=rediss://me:password@host/0 nn-train worker --workers 4 --data ~/cifar-10-batches-bin

It takes trials of sweeps that run with --queue, until it is told to stop: Ctrl-C and SIGTERM hand
back at once what it has begun. It must have the version of nn-train and the images of the sweep;
otherwise it says what differs, and ends. It needs: npm install bullmq ioredis

The address of a server may have user, password, port and number of the database; rediss:// is TLS.`;

export function addWorkerOptions(command: Command): Command {
  command
    .optionsGroup('Execution:')
    .option('--queue <url>', 'the Redis server that the sweep names, such as redis://host (default: NN_TRAIN_QUEUE)')
    .option('--workers <n>', `${WORKERS.help} (default: ${WORKERS.shownDefault})`)
    .option('--checkpoints <folder>', 'folder for checkpoints, shared with other machines (default: a temporary one)');
  addBackendOptions(command)
    .optionsGroup('Images:')
    .option('--dataset <name>', `${WORKER_DATASET.help} (default: ${WORKER_DATASET.default})`);
  addImageOptions(command).optionsGroup('Output:').option('--quiet', 'print only errors');
  return addNotes(command, WORKER_NOTES);
}
