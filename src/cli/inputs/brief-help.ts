import { type Command, Help, Option } from 'commander';
import { FIELDS } from '../../config/config.ts';
import { addHyperparameters } from './hyperparameters.ts';

/** Adds the hyperparameters to a command, but lists only --model in its help; HYPERPARAMETERS_NOTE refers to the others. */
export function addBriefHyperparameters(command: Command): Command {
  const listed = <T extends Command | Option>(items: T[]): T[] =>
    items.filter((item) => {
      const key = item instanceof Option ? item.attributeName() : '';
      return key === 'model' || !(key in FIELDS);
    });
  return addHyperparameters(command).configureHelp({
    ...command.configureHelp(),
    groupItems: (all, visible, groupOf) => new Help().groupItems(listed(all), listed(visible), groupOf),
  });
}

export const HYPERPARAMETERS_NOTE =
  'Every hyperparameter of training is an option too, such as --hidden or --dropout: see nn-train train --help.';
