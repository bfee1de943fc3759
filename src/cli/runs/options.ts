import { type Command, Option } from 'commander';
import { integer } from '../../config/field.ts';
import { addBackendOptions } from '../inputs/backend.ts';
import { DATA_HELP } from '../inputs/hyperparameters.ts';

export function addEvalOptions(command: Command): Command {
  addWeightsOption(command).option('--data <path>', DATA_HELP).option('--json', 'print one JSON object on stdout');
  return addBackendOptions(command);
}

const PREDICT_EXAMPLES = `
Examples:
  $ nn-train predict runs/mlp-20261124-091500 car.jpg
  $ nn-train predict runs/mlp-20261124-091500 photos/*.png --json
  $ curl -s https://example.org/cat.jpg | nn-train predict runs/mlp-20261124-091500 -

A picture is turned upright (EXIF), laid on white where it is transparent,
cropped to its middle square and scaled to 32 × 32. Whatever it shows, the answer
is one of the ten classes: one object that fills the picture works best.
If one picture cannot be read, the others are shown all the same; the exit code
is then that of the first error.`;

export function addPredictOptions(command: Command): Command {
  addWeightsOption(command).option('--json', 'print one JSON object on stdout');
  return addBackendOptions(command).addHelpText('after', PREDICT_EXAMPLES);
}

export const FILTER_COUNT = integer({ min: 1, max: 8192 }, { help: 'how many filters of an mlp to show', default: 64 });
export const PIXEL_SCALE = integer({ min: 1, max: 32 }, { help: 'screen pixels for a pixel', default: 4 });

const WEIGHTS_EXAMPLES = `
Examples:
  $ nn-train weights runs/linear-20261124-091500 --png templates.png
  $ nn-train weights runs/mlp-20261124-091500 --png filters.png --count 100 --scale 3

Of a linear classifier it shows the ten templates. Of a two-layer network it shows
first-layer filters, the most used first: mean |activation| over the test images
times the norm of what the unit adds to the scores. Mid-grey is 0, and each tile
has a scale of its own.`;

export function addWeightsOptions(command: Command): Command {
  addWeightsOption(command)
    .requiredOption('--png <file>', 'write the picture there')
    .option('--count <n>', `${FILTER_COUNT.help} (default: ${FILTER_COUNT.default})`)
    .option('--scale <n>', `${PIXEL_SCALE.help} (default: ${PIXEL_SCALE.default})`)
    .option('--data <path>', `for an mlp: ${DATA_HELP}`);
  return addBackendOptions(command).addHelpText('after', WEIGHTS_EXAMPLES);
}

function addWeightsOption(command: Command): Command {
  const help = 'of the last checkpoint, or of the best epoch';
  return command.addOption(new Option('--weights <last|best>', help).default('last'));
}

export const REPORT_EXAMPLES = `
Examples:
  $ nn-train report runs/mlp-20261124-091500 --open
  $ nn-train report runs/* --out comparison.html

Training leaves a report.html in every run; this makes it anew. It prints the
path of the file. Where the images are not at hand, test results are left out.`;
