import { type Command, Option } from 'commander';
import { choice } from '../../config/field.ts';

/** The checkpoint whose weights are used. */
export const WEIGHTS = choice(['last', 'best'], {
  help: 'weights of the last checkpoint, or of the best epoch',
  default: 'last',
});

export function addWeightsOption(command: Command): Command {
  return command.addOption(new Option('--weights <last|best>', `${WEIGHTS.help} (default: ${WEIGHTS.default})`));
}
