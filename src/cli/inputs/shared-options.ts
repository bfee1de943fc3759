import { type Command, Option } from 'commander';
import { choice } from '../../config/field.ts';
import type { ViewCount } from '../../training/views.ts';

// Options that several commands have. Their help is built at every start, so this module loads nothing that only a command needs.

/** The checkpoint whose weights are used. */
export const WEIGHTS = choice(['last', 'best'], {
  help: 'weights of the last checkpoint, or of the best epoch',
  default: 'last',
});

export function addWeightsOption(command: Command): Command {
  return command.addOption(new Option('--weights <last|best>', `${WEIGHTS.help} (default: ${WEIGHTS.default})`));
}

/** Numbers of views of an image. */
export const VIEWS = choice([1, 2, 10] satisfies readonly ViewCount[], {
  help: 'average the scores over views of each image: 2, it and its mirror image; 10, both also shifted by a pixel each way',
  default: 1,
});

/** @param purpose beginning of the help. */
export function addViewsOption(command: Command, purpose = ''): Command {
  return command.option('--views <1|2|10>', `${purpose}${VIEWS.help} (default: ${VIEWS.default})`);
}

/** Flags that say which images a command reads. */
export interface ImageFlags {
  readonly data?: string | undefined;
  readonly trust?: true | undefined;
}

export const DATA_HELP =
  'CIFAR-10 as an archive or a folder, see nn-train data --help (default: NN_TRAIN_DATA_DIR, ./data, ' +
  '~/.cache/nn-train, ~/.keras/datasets, ~/.cache/huggingface, a download)';

export const TRUST_HELP = 'accept fewer or more images than CIFAR-10 has';

/** Adds the options of ImageFlags. @param condition beginning of their help, such as 'for an mlp: '. */
export function addImageOptions(command: Command, condition = ''): Command {
  return command.option('--data <path>', condition + DATA_HELP).option('--trust', condition + TRUST_HELP);
}
