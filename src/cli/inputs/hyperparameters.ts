import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { applies, type Config, FIELD_LIST, parseConfig, parseField, resolveConfig } from '../../config/config.ts';
import { type Field, integer, number } from '../../config/field.ts';
import { UsageError } from '../../errors.ts';
import { addBackendOptions, type BackendFlags } from './backend.ts';

/** The hyperparameter with which each group of the help begins. */
const GROUPS: Partial<Record<keyof Config, string>> = { model: 'Model:', epochs: 'Training:', dataset: 'Images:' };

const EXAMPLES = `
Examples:
  $ nn-train --model linear
  $ nn-train --model mlp --hidden 100 --epochs 10
  $ nn-train --model mlp --optimizer adamw --lr 1e-3 --early-stop 3
  $ nn-train --model linear --loss hinge --data ~/cifar-10-binary.tar.gz
  $ nn-train --lr 0.01 --json --no-save >> results.jsonl
  $ nn-train --model mlp --watch --open
  $ nn-train --resume runs/linear-20261124-091500

Every hyperparameter can also come from the environment (NN_TRAIN_BATCH_SIZE=64)
or from the --config file ({"batchSize": 64}). Flags beat the environment, which
beats the file, which beats the defaults.

Exit codes: 0 done, 1 a bug or a file that could not be written, 2 wrong usage,
3 images missing or damaged, 4 training diverged, 130 or 143 interrupted.`;

/** The options of a run that are no hyperparameters. */
export interface RunOptions extends BackendFlags {
  readonly data?: string;
  readonly out?: string;
  readonly save: boolean;
  readonly resume?: string;
  readonly config?: string;
  readonly printConfig?: true;
  readonly log?: string;
  /** The port, or true for the usual one. */
  readonly watch?: string | true;
  readonly open?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly progress: boolean;
}

/** A flag for every hyperparameter; `readConfig` reads them. */
export function addHyperparameters(command: Command): Command {
  let group = '';
  for (const [key, field] of FIELD_LIST) {
    group = GROUPS[key] ?? group;
    for (const option of optionsOf(key, field)) command.addOption(option.helpGroup(group));
  }
  return command.optionsGroup('Images:').option('--data <path>', DATA_HELP);
}

export function addTrainOptions(command: Command): Command {
  addHyperparameters(command);
  command.optionsGroup('Arithmetic:');
  addBackendOptions(command)
    .optionsGroup('Output:')
    .option('--out <folder>', 'save the run there (default: a new folder in runs/)')
    .option('--no-save', 'save nothing')
    .option('--resume <run>', 'go on with a run that was stopped')
    .option('--config <file>', 'read hyperparameters from a JSON file')
    .option('--print-config', 'print the hyperparameters as JSON and do nothing else')
    .option('--log <file>', 'append one JSON line for each epoch to a file')
    .option('--watch [port]', `${WATCH_PORT.help} (default port: ${WATCH_PORT.default})`)
    .option('--open', 'open the report in a browser at the end, or what --watch shows at once')
    .option('--json', 'print one JSON object with the results on stdout')
    .option('--quiet', 'print the results only')
    .option('--no-progress', 'draw no progress bar');
  return command.addHelpText('after', EXAMPLES);
}

/** The port of the page that shows a run while it trains: as many as an image has numbers. */
export const WATCH_PORT = integer(
  { min: 0, max: 65535 },
  { help: 'show the run in a browser while it trains, on this machine alone', default: 3072 },
);

/** Time of each measurement of bench. */
export const BENCH_SECONDS = number({ above: 0 }, { help: 'seconds for each measurement', default: 0.3 });

const BENCH_EXAMPLES = `
Examples:
  $ nn-train bench
  $ nn-train bench --precision float32 --threads 1
  $ nn-train bench --seconds 1 --json > bench.json

It needs no dataset: the images are random bytes. The peak is measured, too: the
innermost loop alone, on all threads, with its operands in the first-level cache.`;

export function addBenchOptions(command: Command): Command {
  const { help, default: seconds } = BENCH_SECONDS;
  command.addOption(new Option('--precision <name>', 'int16 or float32 (default: both)'));
  return addBackendOptions(command)
    .addOption(new Option('--seconds <n>', `${help} (default: ${seconds})`))
    .option('--json', 'print one JSON object on stdout')
    .option('--quiet', 'print the results only')
    .addHelpText('after', BENCH_EXAMPLES);
}

export const REPORT_EXAMPLES = `
Examples:
  $ nn-train report runs/mlp-20261124-091500 --open
  $ nn-train report runs/* --out comparison.html

Training leaves a report.html in every run; this makes it anew. It prints the
path of the file. Where the images are not at hand, test results are left out.`;

export const DATA_HELP =
  'CIFAR-10 as an archive or a folder, see nn-train data --help (default: NN_TRAIN_DATA_DIR, ./data, ' +
  '~/.cache/nn-train, ~/.keras/datasets, a download)';

function optionsOf(key: keyof Config, { help, isSwitch, choices, ...field }: Field): Option[] {
  const name = flagOf(key);
  const description = `${help} (default: ${field.shownDefault ?? field.default})`;
  if (isSwitch) return [new Option(name, description), new Option(name.replace('--', '--no-'), 'turn that off')];
  return [new Option(`${name} <${choices ? 'name' : 'n'}>`, description)];
}

/** The hyperparameters of a new run: flags, then environment, then configuration file, then defaults.
 *  @throws UsageError for a value out of range, or a flag that means nothing beside the others. */
export async function readConfig(command: Command, env: NodeJS.ProcessEnv): Promise<Config> {
  const file = command.opts<RunOptions>().config;
  const fromFlags = flagsOf(command);
  const config = resolveConfig({
    ...(file === undefined ? {} : await readConfigFile(file)),
    ...environmentOf(env),
    ...fromFlags,
  });
  for (const [key, field] of FIELD_LIST) {
    if (key in fromFlags && !applies(field, config)) {
      const [other, value] = Object.entries(field.onlyWith!).find(
        ([name, wanted]) => config[name as keyof Config] !== wanted,
      )!;
      const otherFlag = flagOf(other as keyof Config);
      throw new UsageError(
        `${flagOf(key)} has an effect only with ${otherFlag} ${value}, but this run has ${otherFlag} ` +
          `${config[other as keyof Config]}; leave one of the two out`,
      );
    }
  }
  return config;
}

/** The hyperparameters that were given as flags. */
export function flagsOf(command: Command): Partial<Config> {
  const options = command.opts();
  const given = FIELD_LIST.filter(([key]) => options[key] !== undefined);
  return Object.fromEntries(given.map(([key]) => [key, parseField(key, options[key], flagOf(key))]));
}

export function flagOf(key: keyof Config): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function environmentOf(env: NodeJS.ProcessEnv): Partial<Config> {
  const variables = FIELD_LIST.map(
    ([key]) => [key, `NN_TRAIN_${flagOf(key).slice(2).replaceAll('-', '_').toUpperCase()}`] as const,
  );
  const given = variables.filter(([, variable]) => env[variable]);
  return Object.fromEntries(given.map(([key, variable]) => [key, parseField(key, env[variable], variable)]));
}

/** A file of hyperparameters, or the config.json of a run. */
async function readConfigFile(file: string): Promise<Partial<Config>> {
  let content: Record<string, unknown> | null;
  try {
    const text = await readFile(file, 'utf8');
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`cannot read the configuration file ${file}: ${(error as Error).message}`);
  }
  return parseConfig(content?.environment ? content.config : content, file);
}
