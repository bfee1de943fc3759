import type { Command } from 'commander';
import { TRUST_HELP } from '../inputs/shared-options.ts';
import { addNotes } from '../terminal/help.ts';
import type { Io } from '../terminal/io.ts';
import type { DownloadCommandOptions, ImportOptions } from './download.ts';
import type { InfoOptions } from './info.ts';
import type { VerifyOptions } from './verify.ts';

const PLACES = 'default: NN_TRAIN_DATA_DIR, ./data, the cache, ~/.keras/datasets, ~/.cache/huggingface';

const FORMATS = `
Accepted formats: cifar-10-binary.tar.gz and cifar-10-python.tar.gz, the folders in them, the
Parquet files of Hugging Face (uoft-cs/cifar10), and a folder of PNG or JPEG files for each class,
such as train/airplane and test/airplane. With --trust, there may be more or fewer than 50,000
training and 10,000 test images.`;

const NOTES = `
Examples:
  $ nn-train data download
  $ nn-train data info --sample sheet.png
  $ nn-train data import ~/Downloads/cifar-10-python.tar.gz
${FORMATS}

Environment:
  NN_TRAIN_DATA_DIR     folder or archive of the images; no other place is searched
  NN_TRAIN_CIFAR10_URL  an archive to download instead of the default sources
  XDG_CACHE_HOME        parent of the cache (default: ~/.cache); the images are stored in its folder
                        nn-train/cifar-10-batches-bin

Exit codes: 0 done, 1 a file could not be read or written, 2 wrong usage, 3 images missing, damaged
or not the published ones, 128 + n stopped by signal n (130: Ctrl-C).`;

const DOWNLOAD_NOTES = `
Examples:
  $ nn-train data download
  $ nn-train data download --url http://192.168.1.5:8000/cifar-10-binary.tar.gz
  $ nn-train data download --url http://example.org/mine.tar.gz --trust

The sources are tried in turn: Hugging Face, the University of Toronto, a mirror. A source that is
too slow is abandoned for the next. An interrupted download is resumed. The path of the images is
printed on stdout.

A user and a password in the URL are used to log in. No message or file repeats them, nor anything
after a ?. Other users of the machine can see --url among the processes, but not the variable.

Environment:
  NN_TRAIN_CIFAR10_URL  the same as --url
  HTTPS_PROXY           proxy for https, such as http://proxy.example.org:3128 or, with a password,
                        http://USER:PASSWORD@HOST:PORT (default: HTTP_PROXY)
  HTTP_PROXY            proxy for http
  NO_PROXY              hosts to contact directly: names, domains, IP addresses, 10.0.0.0/8, or *
  XDG_CACHE_HOME        parent of the cache (default: ~/.cache)`;

const IMPORT_NOTES = `
Examples:
  $ nn-train data import ~/Downloads/cifar-10-python.tar.gz
  $ nn-train data import ./my-images --trust
${FORMATS}

The six resulting files must have the published SHA-256. With --trust, any images are accepted, even
fewer or more than CIFAR-10 has, and their hashes are recorded so that data verify detects later
damage. Images that are already in the cache are replaced.`;

const VERIFY_NOTES = `
Examples:
  $ nn-train data verify
  $ nn-train data verify ~/Downloads/cifar-10-python.tar.gz
  $ nn-train data verify --json
${FORMATS}

Exit codes: 0 every file has the expected hash, 3 a file differs or is missing.`;

const INFO_NOTES = `
Examples:
  $ nn-train data info
  $ nn-train data info ./data --sample sheet.png
  $ nn-train data info --json
${FORMATS}

The mean and standard deviation are taken over all pixels of a channel, for the bytes p and for
x = (p − 128)/64, the input of the networks.`;

const PATH_NOTES = `
Examples:
  $ ls "$(nn-train data path)"

Searched in this order: NN_TRAIN_DATA_DIR or else ./data, the cache ($XDG_CACHE_HOME or ~/.cache,
folder nn-train), ~/.keras/datasets, ~/.cache/huggingface/hub. Nothing is downloaded. Exit code 3
if no images are found.`;

/** `nn-train data …`: commands for the images. */
export function addDataCommands(data: Command, io: Io, setExitCode: (code: number) => void): void {
  addNotes(data, NOTES).helpCommand('help [command]', 'show the help of a command');
  const command = (name: string, description: string, notes: string) =>
    addNotes(data.command(name).description(description).allowExcessArguments(false), notes);

  command('download', 'download the images into the cache and verify them', DOWNLOAD_NOTES)
    .option('--url <url>', 'download this archive instead of one of the default sources')
    .option('--trust', 'accept images other than the official ones, in any number')
    .action(async (options: DownloadCommandOptions) => {
      const { runDownload } = await import('./download.ts');
      setExitCode(await runDownload(options, io));
    });

  command('verify', 'compare the images with the published SHA-256 hashes', VERIFY_NOTES)
    .argument('[path]', `an archive or a folder (${PLACES})`)
    .option('--trust', TRUST_HELP)
    .option('--json', 'print one JSON object on stdout')
    .action(async (path: string | undefined, options: VerifyOptions) => {
      const { runVerify } = await import('./verify.ts');
      setExitCode(await runVerify(path, options, io));
    });

  command('info', 'describe the images and where they come from', INFO_NOTES)
    .argument('[path]', `an archive or a folder (${PLACES})`)
    .option('--sample <file>', 'write a PNG with ten images of each class')
    .option('--trust', TRUST_HELP)
    .option('--json', 'print one JSON object on stdout')
    .action(async (path: string | undefined, options: InfoOptions) => {
      const { runInfo } = await import('./info.ts');
      setExitCode(await runInfo(path, options, io));
    });

  command('import', 'convert images of any accepted format, verify them and put them into the cache', IMPORT_NOTES)
    .argument('<path>', 'an archive or a folder')
    .option('--trust', 'accept images other than the official ones, in any number')
    .action(async (path: string, options: ImportOptions) => {
      const { runImport } = await import('./download.ts');
      setExitCode(await runImport(path, options, io));
    });

  command('path', 'print the path of the images that training would use', PATH_NOTES).action(async () => {
    const { runPath } = await import('./download.ts');
    await runPath(io);
  });
}
