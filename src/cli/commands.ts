import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { addBackendOptions } from './backend.ts';
import type { BenchOptions } from './bench.ts';
import { addDoctorOptions, addGradcheckOptions } from './check-options.ts';
import { addDataCommands } from './data-commands.ts';
import type { EvalOptions } from './eval.ts';
import { addExplainOptions } from './explain-options.ts';
import type { Io } from './io.ts';
import { addBenchOptions, DATA_HELP, REPORT_EXAMPLES } from './options.ts';
import type { PredictOptions } from './predict.ts';
import type { ReportOptions } from './report.ts';
import { addEvalOptions, addPredictOptions, addWeightsOptions } from './saved-model-options.ts';
import type { WeightsOptions } from './weights.ts';

/** Declares every command but training itself. What a command needs is loaded when it runs. */
export function addCommands(program: Command, io: Io, setExitCode: (code: number) => void): void {
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .allowExcessArguments(false)
      .hook('preAction', () => expectNoneBefore(name, program));

  const evaluation = command('eval', 'test a saved run again').argument('<run>', 'run directory');
  addEvalOptions(evaluation).action(async (run: string, options: EvalOptions) => {
    const { runEval } = await import('./eval.ts');
    await runEval(run, options, io);
  });

  const prediction = command('predict', 'say what a saved run takes pictures for')
    .argument('<run>', 'run directory')
    .argument('<images...>', "PNG or JPEG files of any size; '-' reads one from stdin");
  addPredictOptions(prediction).action(async (run: string, images: string[], options: PredictOptions) => {
    const { runPredict } = await import('./predict.ts');
    setExitCode(await runPredict(run, images, options, io));
  });

  const weights = command('weights', 'show the weights of a saved run as a picture').argument('<run>', 'run directory');
  addWeightsOptions(weights).action(async (run: string, options: WeightsOptions) => {
    const { runWeights } = await import('./weights.ts');
    await runWeights(run, options, io);
  });

  const gradcheck = command('gradcheck', 'check backpropagation against central differences').argument(
    '[run]',
    'check at the weights of this run directory',
  );
  addGradcheckOptions(gradcheck).action(async (run: string | undefined) => {
    const { runGradcheck } = await import('./gradcheck.ts');
    setExitCode(await runGradcheck(run, gradcheck, io));
  });

  const report = command('report', 'make the page of a saved run, or of several beside each other')
    .argument('<runs...>', 'run directories')
    .option('--out <file>', 'write it there (default: report.html in the run, or here for several runs)')
    .option('--open', 'open it in a browser')
    .option('--data <path>', DATA_HELP);
  addBackendOptions(report)
    .addHelpText('after', REPORT_EXAMPLES)
    .action(async (runs: string[], options: ReportOptions) => {
      const { runReport } = await import('./report.ts');
      setExitCode(await runReport(runs, options, io));
    });

  const doctor = command('doctor', 'run the sanity checks on a configuration or a run, and judge them').argument(
    '[run]',
    'examine this run directory',
  );
  addDoctorOptions(doctor).action(async (run: string | undefined) => {
    const { runDoctor } = await import('./doctor.ts');
    setExitCode(await runDoctor(run, doctor, io));
  });

  addDataCommands(command('data', 'fetch, verify, import and describe the images'), io, setExitCode);

  const bench = command('bench', 'measure the speed of products and training steps on this machine');
  addBenchOptions(bench).action(async (options: BenchOptions) => {
    const { runBench } = await import('./bench.ts');
    setExitCode(await runBench(options, io));
  });

  const explanation = command('explain', 'show forward and backward through a graph, gate by gate');
  addExplainOptions(explanation).action(async (words: string[]) => {
    const { runExplain } = await import('./explain.ts');
    await runExplain(words, explanation, io);
  });
}

/** @throws UsageError for options before the name of a command, where they are those of train. */
function expectNoneBefore(command: string, program: Command): void {
  const misplaced = program.options.filter((option) => program.getOptionValueSource(option.attributeName()) === 'cli');
  if (misplaced.length > 0) {
    throw new UsageError(
      `options of ${command} come after it, got ${misplaced.map(({ long }) => long).join(', ')} before it`,
    );
  }
}
