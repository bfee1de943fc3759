import type { Command } from 'commander';
import type { Io } from '../terminal/io.ts';
import type { DownloadCommandOptions, ImportOptions } from './download.ts';
import type { InfoOptions } from './info.ts';
import type { VerifyOptions } from './verify.ts';

const PLACES = 'default: NN_TRAIN_DATA_DIR, ./data, the cache, ~/.keras/datasets';

const FORMATS = `
Accepted are cifar-10-binary.tar.gz and cifar-10-python.tar.gz, the folders in
them, the Parquet files of Hugging Face (uoft-cs/cifar10), and folders of PNG
files such as train/airplane and test/airplane.`;

const EXAMPLES = `
Examples:
  $ nn-train data download
  $ nn-train data info --sample sheet.png
  $ nn-train data import ~/Downloads/cifar-10-python.tar.gz
${FORMATS}

Environment:
  NN_TRAIN_DATA_DIR     where the images are; nowhere else is looked
  NN_TRAIN_CIFAR10_URL  an archive to download instead of the usual sources
  XDG_CACHE_HOME        the folder of the cache (default: ~/.cache); images come
                        to nn-train/cifar-10-batches-bin in it

Exit codes: 0 done, 1 a file could not be written, 2 wrong usage, 3 images
missing, damaged or not the published ones, 130 or 143 interrupted.`;

const DOWNLOAD_EXAMPLES = `
Examples:
  $ nn-train data download
  $ nn-train data download --url http://192.168.1.5:8000/cifar-10-binary.tar.gz
  $ nn-train data download --url http://example.org/mine.tar.gz --trust

The sources are tried one after the other: Hugging Face, the University of
Toronto, a mirror. One that is slow is left, too. A download that was stopped
goes on where it was. The path of the images is printed on stdout.

Environment:
  NN_TRAIN_CIFAR10_URL  the same as --url
  XDG_CACHE_HOME        the folder of the cache (default: ~/.cache)`;

const IMPORT_EXAMPLES = `
Examples:
  $ nn-train data import ~/Downloads/cifar-10-python.tar.gz
  $ nn-train data import ./my-images --trust
${FORMATS}
The six files that come out must have the published SHA-256. With --trust, any
images are taken, and their hashes are kept, so that data verify finds later
damage. What was in the cache is replaced.`;

const VERIFY_EXAMPLES = `
Examples:
  $ nn-train data verify
  $ nn-train data verify ~/Downloads/cifar-10-python.tar.gz
  $ nn-train data verify --json
${FORMATS}
Exit codes: 0 every file is as it should be, 3 one differs or is missing.`;

const INFO_EXAMPLES = `
Examples:
  $ nn-train data info
  $ nn-train data info ./data --sample sheet.png
  $ nn-train data info --json
${FORMATS}
Mean and standard deviation are those of all pixels of a channel: of the bytes p,
and of x = (p − 128)/64, which is what the networks are given.`;

const PATH_EXAMPLES = `
Examples:
  $ ls "$(nn-train data path)"

Searched are, in this order, NN_TRAIN_DATA_DIR or else ./data, the cache
($XDG_CACHE_HOME or ~/.cache, nn-train in it) and ~/.keras/datasets. Nothing is
downloaded. Exit code 3 if there are no images.`;

/** `nn-train data …`: everything about the images themselves. */
export function addDataCommands(data: Command, io: Io, setExitCode: (code: number) => void): void {
  data.addHelpText('after', EXAMPLES);
  const command = (name: string, description: string) =>
    data.command(name).description(description).allowExcessArguments(false);

  command('download', 'fetch the images into the cache and verify them')
    .option('--url <url>', 'from there, instead of the usual sources')
    .option('--trust', 'take images that are not the official ones')
    .addHelpText('after', DOWNLOAD_EXAMPLES)
    .action(async (options: DownloadCommandOptions) => {
      const { runDownload } = await import('./download.ts');
      setExitCode(await runDownload(options, io));
    });

  command('verify', 'compare the images with the published SHA-256')
    .argument('[path]', `an archive or a folder (${PLACES})`)
    .option('--json', 'print one JSON object on stdout')
    .addHelpText('after', VERIFY_EXAMPLES)
    .action(async (path: string | undefined, options: VerifyOptions) => {
      const { runVerify } = await import('./verify.ts');
      setExitCode(await runVerify(path, options, io));
    });

  command('info', 'say what the images are and where they are from')
    .argument('[path]', `an archive or a folder (${PLACES})`)
    .option('--sample <file>', 'write a PNG with ten images of each class')
    .option('--json', 'print one JSON object on stdout')
    .addHelpText('after', INFO_EXAMPLES)
    .action(async (path: string | undefined, options: InfoOptions) => {
      const { runInfo } = await import('./info.ts');
      setExitCode(await runInfo(path, options, io));
    });

  command('import', 'bring images of any accepted format into the cache, verified')
    .argument('<path>', 'an archive or a folder')
    .option('--trust', 'take images that are not the official ones')
    .addHelpText('after', IMPORT_EXAMPLES)
    .action(async (path: string, options: ImportOptions) => {
      const { runImport } = await import('./download.ts');
      setExitCode(await runImport(path, options, io));
    });

  command('path', 'print where training would find the images')
    .addHelpText('after', PATH_EXAMPLES)
    .action(async () => {
      const { runPath } = await import('./download.ts');
      await runPath(io);
    });
}
