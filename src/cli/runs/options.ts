import type { Command } from 'commander';
import { integer } from '../../config/field.ts';
import { addBackendOptions } from '../inputs/backend.ts';
import { addImageOptions, addViewsOption, addWeightsOption, DATA_HELP } from '../inputs/shared-options.ts';
import { addNotes } from '../terminal/help.ts';

const EVAL_NOTES = `
Examples:
  $ nn-train eval runs/mlp-20261124-091500
  $ nn-train eval runs/mlp-20261124-091500 --weights best
  $ nn-train eval runs/mlp-20261124-091500 --views 10
  $ nn-train eval runs/mlp-20261124-091500 --json | jq .test.accuracy

Prints the mean loss in nats and the accuracy, with its 95 % Wilson interval. With --views,
the accuracy of the averaged scores comes below.`;

export function addEvalOptions(command: Command): Command {
  addViewsOption(addImageOptions(addWeightsOption(command))).option('--json', 'print one JSON object on stdout');
  return addNotes(addBackendOptions(command), EVAL_NOTES);
}

const LIST_NOTES = `
Examples:
  $ nn-train runs
  $ nn-train runs runs/mlp-* --csv runs.csv
  $ nn-train runs --json | jq -r '.runs[0].run'

The best validation accuracy comes first: choose a run by it, not by its test accuracy.
Accuracies are those of the last weights. Of the hyperparameters, the table has those in
which the runs differ; --csv and --json have all of them.`;

export function addListOptions(command: Command): Command {
  command
    .option('--csv <file>', 'also write the runs to this CSV file, with every hyperparameter')
    .option('--json', 'print one JSON object on stdout');
  return addNotes(command, LIST_NOTES);
}

const PREDICT_NOTES = `
Examples:
  $ nn-train predict runs/mlp-20261124-091500 car.jpg
  $ nn-train predict runs/mlp-20261124-091500 photos/*.png --json
  $ nn-train predict runs/mlp-20261124-091500 car.jpg --views 10
  $ curl -s https://example.org/cat.jpg | nn-train predict runs/mlp-20261124-091500 -

A picture is rotated upright (EXIF), placed on a white background if it is transparent,
cropped to its central square and scaled to 32 × 32. The answer is always one of the
ten classes; a picture filled by one object works best. A picture that cannot be read does
not stop the others: the exit code is then that of the first error.`;

export function addPredictOptions(command: Command): Command {
  addViewsOption(addWeightsOption(command)).option('--json', 'print one JSON object on stdout');
  return addNotes(addBackendOptions(command), PREDICT_NOTES);
}

export const FILTER_COUNT = integer(
  { min: 1, max: 8192 },
  { help: 'filters of an mlp to draw, 1 to 8192', default: 64 },
);
export const PIXEL_SCALE = integer(
  { min: 1, max: 32 },
  { help: 'pixels of the picture for each pixel of a filter, 1 to 32', default: 4 },
);

const WEIGHTS_NOTES = `
Examples:
  $ nn-train weights runs/linear-20261124-091500
  $ nn-train weights runs/mlp-20261124-091500 --png filters.png --count 100 --scale 3

A linear classifier has ten templates, one for each class. For a two-layer network, the
filters of the first layer are drawn, the most used first: the use of a filter is the mean
|activation| of its unit over the test images, times the norm of the unit's weights in the
second layer. Mid-grey is 0; each tile has its own scale.`;

export function addWeightsOptions(command: Command): Command {
  addWeightsOption(command)
    .option('--png <file>', 'write the picture to this PNG file (default: weights.png in the run)')
    .option('--count <n>', `${FILTER_COUNT.help} (default: ${FILTER_COUNT.default})`)
    .option('--scale <n>', `${PIXEL_SCALE.help} (default: ${PIXEL_SCALE.default})`);
  return addNotes(addBackendOptions(addImageOptions(command, 'for an mlp: ')), WEIGHTS_NOTES);
}

const EXPORT_NOTES = `
Examples:
  $ nn-train export runs/mlp-20261124-091500
  $ nn-train export runs/mlp-20261124-091500 --dense cifar10.safetensors --weights best
  $ nn-train export runs/mlp-20261124-091500 --views 10

Writes the network as a plain one of two dense layers with ReLU between them, in safetensors:
fc1.weight [units, 3072], fc1.bias, fc2.weight [10, units] and fc2.bias; of a linear
classifier, linear.weight and linear.bias. Its inputs are (p - 128)/64 of the bytes p. With
--views it has the units of all views, and its scores are the averaged ones.`;

export function addExportOptions(command: Command): Command {
  addViewsOption(addWeightsOption(command), 'fold views into the weights: ').option(
    '--dense <file>',
    'write the dense network to this file (default: dense.safetensors in the run)',
  );
  return addNotes(command, EXPORT_NOTES);
}

const REPORT_NOTES = `
Examples:
  $ nn-train report runs/mlp-20261124-091500 --open
  $ nn-train report runs/* --out comparison.html
  $ nn-train report runs/mlp-20261124-091500 --views 10

Training writes report.html into every run directory; this command rebuilds it. It prints the path of
the file. Without the images, the report has no test results.`;

export function addReportOptions(command: Command): Command {
  command
    .option('--out <file>', 'write the report to this file (default: report.html in the run, or here for several runs)')
    .option('--open', 'open the report in a browser')
    .option('--data <path>', DATA_HELP);
  addViewsOption(command);
  return addNotes(addBackendOptions(command), REPORT_NOTES);
}
