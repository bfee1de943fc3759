import type { Command } from 'commander';
import { ReferenceBackend } from '../../backends/reference/reference.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { checkModelGradients } from '../../gradcheck/model-gradients.ts';
import type { ImageSet } from '../../images.ts';
import { Random } from '../../random.ts';
import { rows } from '../../training/batches.ts';
import { flagsOf } from '../inputs/hyperparameters.ts';
import { type CheckOptions, loadImagesOfSubject, readSubject } from '../inputs/saved-run.ts';
import { makeBar } from '../terminal/bar.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { type GradcheckResult, gradcheckLines } from './gradcheck-text.ts';

/** A few images suffice: a wrong gradient of one image shows in the sum, and fewer images bring fewer kinks. */
const IMAGES = 8;

/** `nn-train gradcheck [RUN]`: compares backpropagation with central differences. Resolves to the exit code: 1 if a
 *  gradient fails. */
export async function runGradcheck(folder: string | undefined, command: Command, io: Io): Promise<number> {
  const options = command.opts<CheckOptions>();
  const subject = await readSubject(folder, command, io, { allowed: ['batchSize'] });
  const { config, run } = subject;
  const bar = options.quiet || !io.stderr.isTTY ? undefined : makeBar(io.stderr, 'checking  {bar} {percentage} %');
  return runUntilInterrupted(
    io,
    async (signal) => {
      const started = performance.now();
      const dataset = await loadImagesOfSubject(subject, { ...options, signal, backend: new ReferenceBackend() }, io);
      const indices = chooseImages(
        dataset.train,
        flagsOf(command).batchSize ?? Math.min(IMAGES, dataset.train.labels.length),
        config.seed,
      );
      bar?.start(1, 0);
      const check = await checkModelGradients({
        config,
        images: dataset.train,
        indices,
        tensors: run?.checkpoint.tensors,
        signal,
        onProgress: (share) => bar?.update(share),
      });
      bar?.stop();
      const result: GradcheckResult = {
        model: config.model,
        dataset: dataset.name,
        run: run?.directory.path ?? null,
        step: run?.checkpoint.progress.step ?? 0,
        images: indices.length,
        ...check,
        seconds: (performance.now() - started) / 1000,
        config: effectiveConfig(config),
      };
      const lines = options.json
        ? [JSON.stringify(result)]
        : gradcheckLines(result, config, painter(io.stdout, io.env), textWidth(io.stdout));
      io.stdout.write(`${lines.join('\n')}\n`);
      return result.passed ? EXIT.done : EXIT.failure;
    },
    bar,
  );
}

function chooseImages({ labels }: ImageSet, count: number, seed: number): Uint32Array {
  if (count > labels.length) throw new UsageError(`--batch-size must be at most ${labels.length}, got ${count}`);
  return new Random(seed, 'gradient check images').shuffle(rows(labels.length)).slice(0, count);
}
