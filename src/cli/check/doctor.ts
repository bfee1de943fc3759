import type { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import type { Dataset } from '../../dataset/load.ts';
import { type DoctorOptions, diagnose, type RunToCheck } from '../../doctor/doctor.ts';
import type { Finding, Verdict } from '../../doctor/finding.ts';
import { EXIT } from '../../errors.ts';
import { describeEnvironment } from '../../runs/environment.ts';
import type { BackendFlags } from '../inputs/backend.ts';
import { renderMessage } from '../inputs/field-names.ts';
import {
  type CheckOptions,
  loadImagesOfSubject,
  openBackendOfSubject,
  readSubject,
  type Subject,
} from '../inputs/saved-run.ts';
import { makeBar } from '../terminal/bar.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { conclusionLines, type DoctorResult, findingLines, headerLines } from './doctor-text.ts';

/** `nn-train doctor [RUN]`: the sanity checks of the CS231n notes, each with a verdict. Resolves to the exit code: 1 if
 *  a finding is bad. */
export async function runDoctor(folder: string | undefined, command: Command, io: Io): Promise<number> {
  const options = command.opts<CheckOptions & BackendFlags>();
  const subject = await readSubject(folder, command, io, { allowNotFinite: true });
  const bar = options.quiet || !io.stderr.isTTY ? undefined : makeBar(io.stderr, '  {bar} {percentage} %  {check}');
  const paint = painter(io.stdout, io.env);
  const width = textWidth(io.stdout);
  const print = (lines: readonly string[]) => {
    if (!options.json) io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  };
  let backend: Backend | undefined;
  try {
    return await runUntilInterrupted(
      io,
      async (signal) => {
        const started = performance.now();
        backend = await openBackendOfSubject(subject, options, io);
        const dataset = await loadImagesOfSubject(subject, { ...options, signal, backend }, io);
        print(headerLines(subject, dataset, paint, width));
        const run = await runOf(subject, dataset.sha256);
        const findings: Finding[] = [];
        for await (const finding of withBar(bar, { config: subject.config, dataset, backend, run, signal })) {
          const { advice } = finding;
          const named = { ...finding, advice: advice && renderMessage(advice, io.env, command) };
          findings.push(named);
          print(findingLines(named, paint, width));
        }
        const result = resultOf(subject, dataset, backend, findings, (performance.now() - started) / 1000);
        print(['', ...conclusionLines(result, paint, width)]);
        if (options.json) io.stdout.write(`${JSON.stringify(result)}\n`);
        return result.verdict === 'bad' ? EXIT.failure : EXIT.done;
      },
      bar,
    );
  } finally {
    backend?.close();
  }
}

/** Yields the findings and draws a progress bar while each check runs. */
async function* withBar(bar: SingleBar | undefined, options: DoctorOptions): AsyncGenerator<Finding, void> {
  let [current, done] = ['', 0];
  const onProgress = (check: string, share: number) => {
    [current, done] = [check, share];
    bar?.update(share, { check });
  };
  bar?.start(1, 0, { check: current });
  for await (const finding of diagnose({ ...options, onProgress })) {
    bar?.stop();
    yield finding;
    bar?.start(1, done, { check: current });
  }
  bar?.stop();
}

async function runOf({ run }: Subject, sha256: string): Promise<RunToCheck | undefined> {
  if (!run) return undefined;
  const { directory, checkpoint, record } = run;
  const epochs = (await directory.metrics()).filter(
    ({ epoch }) => epoch <= (checkpoint.progress.lastEpoch?.epoch ?? 0),
  );
  return { checkpoint, epochs, isSameDataset: sha256 === record.dataset.sha256 };
}

function resultOf(
  { config, run }: Subject,
  { name }: Dataset,
  backend: Backend,
  findings: readonly Finding[],
  seconds: number,
): DoctorResult {
  const verdicts: readonly Verdict[] = ['bad', 'warning', 'ok'];
  return {
    model: config.model,
    dataset: name,
    run: run?.directory.path ?? null,
    verdict: verdicts.find((verdict) => findings.some((finding) => finding.verdict === verdict)) ?? 'ok',
    findings,
    seconds,
    config: effectiveConfig(config),
    environment: describeEnvironment(backend),
  };
}
