import type { Command } from 'commander';
import { addBackendOptions } from '../inputs/backend.ts';
import { addBriefHyperparameters, HYPERPARAMETERS_NOTE } from '../inputs/brief-help.ts';
import { addNotes } from '../terminal/help.ts';

const NOTES = `
An EXPRESSION consists of numbers, names, [arrays], the operators + - * / ^ (also
− × · ÷ **) and the functions exp log sqrt abs max min sigmoid tanh relu step sum
norm2 transpose (T). norm2(x) is Σ x². * multiplies scalars and matrices in any
combination; .* (also ⊙) multiplies element by element; a vector is a column.
Statements are separated by ; and name their value with =. A value that no other
statement uses is an output; each output is differentiated on its own.

--model shows the real training graph: shapes, memory and FLOPs of a step, and
on every wire the mean |value| and |gradient| of one batch, at the initial
weights or at those of a RUN. The options for images and arithmetic apply to it.
${HYPERPARAMETERS_NOTE}

Examples:
  $ nn-train explain "(x+y)*z" x=-2 y=5 z=-4
  $ nn-train explain "q = x + y; f = q * z" x=-2 y=5 z=-4
  $ nn-train explain "norm2(W*x)" W=[[0.1,0.5],[-0.3,0.8]] x=[0.2,0.4]
  $ nn-train explain "relu(W*x)" W=[[1,-2],[3,4]] x=[1,1] --upstream [10,20]
  $ nn-train explain sigmoid --svg sigmoid.svg
  $ nn-train explain product x=3 --open
  $ nn-train explain --lecture --open
  $ nn-train explain --model mlp --recipe plain --html mlp.html
  $ nn-train explain --model mlp runs/mlp-20261124-091500 --open

Colours as in the lecture: values are green, gradients red.`;

export function addExplainOptions(command: Command): Command {
  command
    .usage(
      '[options] [EXAMPLE | EXPRESSION] [name=value …]\n       nn-train explain [options] --model linear|mlp [RUN]',
    )
    .argument(
      '[what...]',
      'an example or an expression, and values such as x=-2 or x=[0.2,0.4] (default: an introduction)',
    )
    .option('--upstream <json>', 'gradient of the output, in its shape (default: ones)')
    .option('--svg <file>', 'draw the graph as SVG')
    .option('--html <file>', 'write a page to change the numbers and step through the gates; of a model, to explore it')
    .option('--open', 'open that page in a browser')
    .option('--lecture', 'write a page with all examples and an exercise for each')
    .option('--list', 'list the examples')
    .option('--json', 'print one JSON object on stdout');
  addBriefHyperparameters(command);
  addBackendOptions(command.optionsGroup('Arithmetic:')).showHelpAfterError(
    'Put -- before an expression that begins with -:\n  nn-train explain -- "-x^2" x=3',
  );
  return addNotes(command, NOTES);
}
