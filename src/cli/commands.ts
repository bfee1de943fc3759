import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import type { BenchOptions } from './bench/bench.ts';
import { addBenchOptions } from './bench/options.ts';
import { addDoctorOptions, addGradcheckOptions } from './check/options.ts';
import { addDataCommands } from './data/commands.ts';
import { addExplainOptions } from './explain/options.ts';
import { addBackendOptions } from './inputs/backend.ts';
import { DATA_HELP } from './inputs/hyperparameters.ts';
import type { EvalOptions } from './runs/eval.ts';
import { addEvalOptions, addPredictOptions, addWeightsOptions, REPORT_EXAMPLES } from './runs/options.ts';
import type { PredictOptions } from './runs/predict.ts';
import type { ReportOptions } from './runs/report.ts';
import type { WeightsOptions } from './runs/weights.ts';
import type { Io } from './terminal/io.ts';

/** Makes a command. */
type Declare = (name: string, description: string) => Command;
type SetExitCode = (code: number) => void;

/** Declares every command but training itself, in the order of the help. What a command needs is loaded when it runs. */
export function addCommands(program: Command, io: Io, setExitCode: SetExitCode): void {
  const declare: Declare = (name, description) =>
    program
      .command(name)
      .description(description)
      .allowExcessArguments(false)
      .hook('preAction', () => expectNoneBefore(name, program));

  addExplanations(declare, io, setExitCode);
  addRunCommands(declare, io, setExitCode);
  addDataCommands(declare('data', 'fetch, verify, import and describe the images'), io, setExitCode);

  const bench = declare('bench', 'measure the speed of products and training steps on this machine');
  addBenchOptions(bench).action(async (options: BenchOptions) => {
    const { runBench } = await import('./bench/bench.ts');
    setExitCode(await runBench(options, io));
  });
}

/** Commands that show and check backpropagation. */
function addExplanations(declare: Declare, io: Io, setExitCode: SetExitCode): void {
  const explanation = declare('explain', 'show forward and backward through a graph, gate by gate');
  addExplainOptions(explanation).action(async (words: string[]) => {
    const { runExplain } = await import('./explain/explain.ts');
    await runExplain(words, explanation, io);
  });

  const gradcheck = declare('gradcheck', 'check backpropagation against central differences');
  gradcheck.argument('[run]', 'check at the weights of this run directory');
  addGradcheckOptions(gradcheck).action(async (run: string | undefined) => {
    const { runGradcheck } = await import('./check/gradcheck.ts');
    setExitCode(await runGradcheck(run, gradcheck, io));
  });

  const doctor = declare('doctor', 'run the sanity checks on a configuration or a run, and judge them');
  doctor.argument('[run]', 'examine this run directory');
  addDoctorOptions(doctor).action(async (run: string | undefined) => {
    const { runDoctor } = await import('./check/doctor.ts');
    setExitCode(await runDoctor(run, doctor, io));
  });
}

/** Commands for saved runs. */
function addRunCommands(declare: Declare, io: Io, setExitCode: SetExitCode): void {
  const evaluation = declare('eval', 'test a saved run again').argument('<run>', 'run directory');
  addEvalOptions(evaluation).action(async (run: string, options: EvalOptions) => {
    const { runEval } = await import('./runs/eval.ts');
    await runEval(run, options, io);
  });

  const report = declare('report', 'make the page of a saved run, or of several beside each other')
    .argument('<runs...>', 'run directories')
    .option('--out <file>', 'write it there (default: report.html in the run, or here for several runs)')
    .option('--open', 'open it in a browser')
    .option('--data <path>', DATA_HELP);
  addBackendOptions(report)
    .addHelpText('after', REPORT_EXAMPLES)
    .action(async (runs: string[], options: ReportOptions) => {
      const { runReport } = await import('./runs/report.ts');
      setExitCode(await runReport(runs, options, io));
    });

  const prediction = declare('predict', 'say what a saved run takes pictures for')
    .argument('<run>', 'run directory')
    .argument('<images...>', "PNG or JPEG files of any size; '-' reads one from stdin");
  addPredictOptions(prediction).action(async (run: string, images: string[], options: PredictOptions) => {
    const { runPredict } = await import('./runs/predict.ts');
    setExitCode(await runPredict(run, images, options, io));
  });

  const weights = declare('weights', 'show the weights of a saved run as a picture').argument('<run>', 'run directory');
  addWeightsOptions(weights).action(async (run: string, options: WeightsOptions) => {
    const { runWeights } = await import('./runs/weights.ts');
    await runWeights(run, options, io);
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
