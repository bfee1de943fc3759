import type { Command } from 'commander';
import { FIELDS } from '../../config/config.ts';
import { type Field, integer } from '../../config/field.ts';
import { addBackendOptions, type BackendFlags } from '../inputs/backend.ts';
import { addHyperparameters } from '../inputs/hyperparameters.ts';
import { addViewsOption, type ImageFlags } from '../inputs/shared-options.ts';
import { addNotes } from '../terminal/help.ts';

const NOTES = `
Examples:
  $ nn-train --model linear
  $ nn-train --model mlp --epochs 20
  $ nn-train --model mlp --recipe plain --hidden 100 --early-stop 3
  $ nn-train --model linear --loss hinge --data ~/cifar-10-binary.tar.gz
  $ nn-train --lr 0.01 --json --no-save >> results.jsonl
  $ nn-train --model mlp --views 10
  $ nn-train --model mlp --watch --open
  $ nn-train --model mlp --name wide --hidden 64 --time-limit 1h30m
  $ nn-train --model linear --seeds 0,1,2
  $ nn-train --lr 0.001 --init-from runs/linear-20261124-091500
  $ nn-train --resume runs/linear-20261124-091500
  $ nn-train --resume runs/linear-20261124-091500 --epochs 20

Every hyperparameter can also be set in the environment (NN_TRAIN_BATCH_SIZE=64)
or in the --config file ({"batchSize": 64}, or in YAML batchSize: 64). Flags override the environment, which
overrides the file, which overrides the defaults.

Exit codes: 0 done, 1 a bug, a file that could not be read or written, or a run
that another process is training, 2 wrong usage, 3 images missing or damaged,
4 training diverged, 124 stopped by --time-limit after saving, 128 + n stopped
by signal n after saving (130: Ctrl-C),
141 the reader of stdout closed the pipe and missed results.`;

/** Options of a run that are not hyperparameters. */
export interface RunOptions extends BackendFlags, ImageFlags {
  readonly out?: string;
  readonly name?: string;
  readonly seeds?: string;
  readonly save: boolean;
  readonly resume?: string;
  readonly initFrom?: string;
  readonly config?: string;
  readonly printConfig?: true;
  readonly views?: string;
  readonly timeLimit?: string;
  readonly log?: string;
  /** The port, or true for the default. */
  readonly watch?: string | true;
  readonly open?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly progress: boolean;
}

export function addTrainOptions(command: Command): Command {
  addHyperparameters(command);
  command.optionsGroup('Arithmetic:');
  addBackendOptions(command).optionsGroup('Output:');
  addViewsOption(command, 'in the test, also ')
    .option('--out <folder>', 'folder for the run (default: a new folder in runs/)')
    .option('--seeds <list>', `${SEEDS.help} (default: one run, with --seed)`)
    .option('--name <text>', `${NAME.help} (default: none)`)
    .option('--no-save', 'save nothing')
    .option('--resume <run>', 'resume an interrupted run; with --epochs, train any run to that number of epochs')
    .option('--init-from <run>', 'begin with the weights of a run: the last, or those of its best.safetensors')
    .option('--time-limit <time>', `${TIME_LIMIT.help} (default: none)`)
    .option('--config <file>', 'read hyperparameters from a JSON or YAML file')
    .option('--print-config', 'print the hyperparameters as JSON and exit')
    .option('--log <file>', 'append JSON lines to a file: start, each epoch, end')
    .option('--watch [port]', `${WATCH_PORT.help} (default port: ${WATCH_PORT.default})`)
    .option('--open', 'open the report in a browser at the end, or the page of --watch at the start')
    .option('--json', 'print one JSON object with the results on stdout')
    .option('--quiet', 'print only the results')
    .option('--no-progress', 'draw no progress bar');
  return addTrainNotes(command);
}

export function addTrainNotes(command: Command): Command {
  return addNotes(command, NOTES);
}

export const SEEDS: Field<readonly number[] | null> = {
  help: 'train once with each of these seeds, such as 0,1,2, and print the mean accuracies and their deviations',
  default: null,
  wanted: 'different seeds with commas between them, such as 0,1,2',
  accepts: (value): value is readonly number[] | null => value === null || Array.isArray(value),
  parse(raw) {
    if (raw === null) return null;
    const seeds = String(raw).split(',').map(FIELDS.seed.parse);
    const areValid = seeds.every((seed) => seed !== undefined) && new Set(seeds).size === seeds.length;
    return areValid ? seeds : undefined;
  },
};

/** Longest name in characters. */
const MAX_NAME = 100;

export const NAME: Field<string | null> = {
  help: 'a name for the run, for its folder, its report and nn-train runs',
  default: null,
  wanted: `a text of 1 to ${MAX_NAME} characters in one line`,
  accepts: (value): value is string | null => value === null || isName(value),
  parse: (raw) => (raw === null || isName(raw) ? raw : undefined),
};

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && [...value].length <= MAX_NAME && !/\p{Cc}/u.test(value);
}

/** In seconds. A timer cannot wait for much longer. */
const MAX_TIME = 500 * 3600;

export const TIME_LIMIT: Field<number | null> = {
  help: 'save and stop after this time, such as 90s, 30m or 1h30m',
  default: null,
  wanted: 'a time such as 90s, 30m or 1h30m, at most 500h',
  accepts: (value): value is number | null => value === null || isTime(value),
  parse(raw) {
    if (raw === null) return null;
    const amount = '(\\d+(?:\\.\\d+)?)';
    const parts = new RegExp(`^(?:${amount}h)?(?:${amount}m)?(?:${amount}s)?$`).exec(String(raw));
    const [hours, minutes, seconds] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
    const total = 3600 * hours + 60 * minutes + seconds;
    return isTime(total) ? total : undefined;
  },
};

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= MAX_TIME;
}

const PORT = integer(
  { min: 0, max: 65535 },
  { help: 'serve a page that shows the run while it trains, on this machine only', default: 3072 },
);

/** Port of the page that shows a run while it trains. The default is the number of values in an image. */
export const WATCH_PORT = { ...PORT, wanted: `a port, ${PORT.wanted}` };
