import type { Command } from 'commander';
import { addBackendOptions } from '../inputs/backend.ts';
import { addHyperparameters } from '../inputs/hyperparameters.ts';

const GRADCHECK_HELP = `
It takes every hyperparameter of training, and so any command line of training.
Those that change no gradient, such as --epochs, are read and ignored, and
--batch-size is the number of images to check on (default: 8).

Compared are, in float64: the gradient by each parameter, of the loss that
training minimises (with dropout, label smoothing and weight decay), along whole
random directions and single coordinates; and the backward of each gate by
itself, so that a fault is named. A step that would cross a kink (of ReLU or the
hinge) is made smaller; what no step can tell is counted under "kinks".

  relative error   verdict        (CS231n notes, "Neural Networks 3")
  up to 1e-7       right
  up to 1e-6       acceptable
  up to 1e-2       suspicious     fails
  more             wrong          fails

Exit codes: 0 all gradients pass, 1 one of them fails, otherwise as in training.

Examples:
  $ nn-train gradcheck
  $ nn-train gradcheck --model mlp --activation tanh --loss hinge
  $ nn-train gradcheck runs/mlp-20261124-091500
  $ nn-train gradcheck --model mlp --dropout 0.5 --json`;

const DOCTOR_HELP = `
It takes every hyperparameter of training, and so any command line of training,
or a run directory. The checks are those of the CS231n notes, "Neural Networks
3", each with a verdict, its numbers and, where it is not ok, what to do next:

  origin, classes, duplicates, pixels    are the images what they claim to be?
  run curves, run weights                what a run says of itself
  initial loss, regularisation           ln 10 or 9, and more with a larger λ
  overfitting                            20 images learned by heart
  gradients                              as nn-train gradcheck, in brief
  learning rate, loss curve, updates     short trainings at rates ten times apart
  hidden units                           dead or saturated ones
  labels, test images                    against permuted labels; test against
                                         training images

Exit codes: 0 nothing is bad, 1 something is, otherwise as in training.

Examples:
  $ nn-train doctor
  $ nn-train doctor --model mlp --hidden 100 --lr 0.5
  $ nn-train doctor runs/mlp-20261124-091500
  $ nn-train doctor --json | jq '.findings[] | select(.verdict != "ok")'`;

export function addGradcheckOptions(command: Command): Command {
  addHyperparameters(command);
  return addCheckOutput(command).addHelpText('after', GRADCHECK_HELP);
}

export function addDoctorOptions(command: Command): Command {
  addHyperparameters(command);
  addBackendOptions(command.optionsGroup('Arithmetic:'));
  return addCheckOutput(command).addHelpText('after', DOCTOR_HELP);
}

function addCheckOutput(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('--config <file>', 'read hyperparameters from a JSON file')
    .option('--json', 'print one JSON object on stdout')
    .option('--quiet', 'draw no progress bar');
}
