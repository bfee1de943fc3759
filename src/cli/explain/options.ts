import type { Command } from 'commander';
import { addBackendOptions } from '../inputs/backend.ts';
import { addHyperparameters } from '../inputs/hyperparameters.ts';

const HELP = `
An EXPRESSION is made of numbers, names, [arrays], the operators + - * / ^ (also
− × · ÷ **) and the functions exp log sqrt abs max min sigmoid tanh relu step sum
norm2 transpose (T). norm2(x) is Σ x². * multiplies scalars, matrices, and scalars
by matrices; .* (also ⊙) multiplies element by element; a vector is a column.
Statements are separated by ; and name their value by =. What no other statement
uses is an output, and each output is differentiated on its own.

With --model, the real training graph is shown: shapes, memory and FLOPs of a step,
and on every wire the mean |value| and |gradient| for one batch, at the initial
weights or at those of a RUN. The options of models and images are for this.

Examples:
  $ nn-train explain "(x+y)*z" x=-2 y=5 z=-4
  $ nn-train explain "q = x + y; f = q * z" x=-2 y=5 z=-4
  $ nn-train explain "norm2(W*x)" W=[[0.1,0.5],[-0.3,0.8]] x=[0.2,0.4]
  $ nn-train explain "relu(W*x)" W=[[1,-2],[3,4]] x=[1,1] --upstream [10,20]
  $ nn-train explain sigmoid --svg sigmoid.svg
  $ nn-train explain product x=3
  $ nn-train explain --model mlp --hidden 100 --html mlp.html
  $ nn-train explain --model mlp runs/mlp-20261124-091500

Colours as in the lecture: values are green, gradients red.`;

/** Declares `explain`. */
export function addExplainOptions(command: Command): Command {
  command
    .usage(
      '[options] [EXAMPLE | EXPRESSION] [name=value …]\n       nn-train explain [options] --model linear|mlp [RUN]',
    )
    .argument('[what...]', 'an example or an expression, and values such as x=-2 or x=[0.2,0.4]')
    .option('--upstream <json>', 'the gradient to begin with, of the shape of the output (default: ones)')
    .option('--svg <file>', 'write the drawing of the graph')
    .option('--html <file>', 'write the drawing as a web page')
    .option('--list', 'list the examples')
    .option('--json', 'print one JSON object on stdout');
  addHyperparameters(command);
  return addBackendOptions(command.optionsGroup('Arithmetic:'))
    .showHelpAfterError(
      'Run nn-train explain --help for the options. Before an expression that begins with - put --:\n' +
        '  nn-train explain -- "-x^2" x=3',
    )
    .addHelpText('after', HELP);
}
