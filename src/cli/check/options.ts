import type { Command } from 'commander';
import { addBackendOptions } from '../inputs/backend.ts';
import { addBriefHyperparameters, HYPERPARAMETERS_NOTE } from '../inputs/brief-help.ts';
import { addNotes } from '../terminal/help.ts';

const GRADCHECK_NOTES = `
${HYPERPARAMETERS_NOTE}
So any training command line can be checked. Options that change no gradient, such as --epochs,
are ignored; --batch-size is the number of images to check on (default: 8).

All arithmetic is in float64. The check covers the gradient of the training loss (with dropout,
label smoothing and weight decay) with respect to each parameter, along random directions and single
coordinates, and the backward pass of each gate on its own, so that a faulty gate is named. A step
that would cross a kink (of ReLU or the hinge) is shortened; coordinates for which even the smallest
step crosses one count as "kinks".

  relative error   verdict        (CS231n notes, "Neural Networks 3")
  up to 1e-7       right
  up to 1e-6       acceptable
  up to 1e-2       suspicious     fails
  more             wrong          fails

Exit codes: 0 all gradients pass, 1 a gradient fails, otherwise as in training.

Examples:
  $ nn-train gradcheck
  $ nn-train gradcheck --model mlp --activation tanh --loss hinge
  $ nn-train gradcheck runs/mlp-20261124-091500
  $ nn-train gradcheck --model mlp --dropout 0.5 --json`;

const DOCTOR_NOTES = `
${HYPERPARAMETERS_NOTE}
So any training command line can be examined, or a run directory. The checks come from the CS231n
notes, "Neural Networks 3". Each gives a verdict, its numbers and, if it fails, advice:

  origin, classes, duplicates, pixels    are these the official images?
  run curves, run weights                the metrics and the weights of the run
  initial loss, regularisation           ln 10 or 9, and more with a larger λ
  overfitting                            can the model memorize 20 images?
  gradients                              a short nn-train gradcheck
  learning rate, loss curve, updates     short trainings at rates ten times apart
  hidden units                           are units dead or saturated?
  labels, test images                    real against permuted labels; test against training images

Exit codes: 0 no finding is bad, 1 a finding is bad, otherwise as in training.

Examples:
  $ nn-train doctor
  $ nn-train doctor --model mlp --recipe plain --lr 0.5
  $ nn-train doctor runs/mlp-20261124-091500
  $ nn-train doctor --json | jq '.findings[] | select(.verdict != "ok")'`;

export function addGradcheckOptions(command: Command): Command {
  addBriefHyperparameters(addOutputOptions(command));
  return addNotes(command, GRADCHECK_NOTES);
}

export function addDoctorOptions(command: Command): Command {
  addBriefHyperparameters(addOutputOptions(command));
  addBackendOptions(command.optionsGroup('Arithmetic:'));
  return addNotes(command, DOCTOR_NOTES);
}

function addOutputOptions(command: Command): Command {
  return command
    .option('--config <file>', 'read hyperparameters from a JSON file')
    .option('--json', 'print one JSON object on stdout')
    .option('--quiet', 'draw no progress bar');
}
