import { type Command, type CommandOptions, Help } from 'commander';
import { expectNoCommand } from './advice.ts';
import type { BenchOptions } from './bench/bench.ts';
import { addBenchOptions } from './bench/options.ts';
import { addDoctorOptions, addGradcheckOptions } from './check/options.ts';
import { addDataCommands } from './data/commands.ts';
import { addExplainOptions } from './explain/options.ts';
import type { EvalOptions } from './runs/eval.ts';
import type { ExportOptions } from './runs/export.ts';
import type { ListOptions } from './runs/list.ts';
import {
  addEvalOptions,
  addExportOptions,
  addListOptions,
  addPredictOptions,
  addReportOptions,
  addWeightsOptions,
} from './runs/options.ts';
import type { PredictOptions } from './runs/predict.ts';
import type { ReportOptions } from './runs/report.ts';
import type { WeightsOptions } from './runs/weights.ts';
import {
  addShowOptions,
  addSweepOptions,
  addWorkerOptions,
  type ShowOptions,
  type WorkerOptions,
} from './sweep/options.ts';
import { addNotes } from './terminal/help.ts';
import type { Io } from './terminal/io.ts';
import { expandWildcards } from './terminal/shell.ts';
import { addTrainNotes, addTrainOptions } from './train/options.ts';

/** Declares a command. */
type Declare = (name: string, description: string, options?: CommandOptions) => Command;
type SetExitCode = (code: number) => void;

const HELP_EXAMPLES = `
Examples:
  $ nn-train help
  $ nn-train help eval
  $ nn-train help data download`;

/** Declares every command, in the order of the help. The code of a command is loaded when it runs. */
export function addCommands(program: Command, args: readonly string[], io: Io, setExitCode: SetExitCode): void {
  const declare: Declare = (name, description, options) =>
    program.command(name, options).description(description).allowExcessArguments(false);

  const train = addTraining(declare, args, io, setExitCode);
  addExplanations(declare, io, setExitCode);
  addRunCommands(declare, io, setExitCode);
  addSweepCommands(declare, io, setExitCode);
  addDataCommands(declare('data', 'download, verify, import and describe the images'), io, setExitCode);

  const bench = declare('bench', 'measure the speed of products and training steps on this machine');
  addBenchOptions(bench).action(async (options: BenchOptions) => {
    const { runBench } = await import('./bench/bench.ts');
    setExitCode(await runBench(options, io));
  });
  addHelpCommand(program, declare);
  // The program's help lists the options of training too. Set last, since commands inherit earlier settings.
  const visibleOptions = (command: Command) => [...new Help().visibleOptions(command), ...train.options];
  program.configureHelp({ ...program.configureHelp(), visibleOptions });
  addTrainNotes(program);
}

/** `nn-train [train]`. */
function addTraining(declare: Declare, args: readonly string[], io: Io, setExitCode: SetExitCode): Command {
  // A leading word names a command. Without a default command, commander reports an unknown one and suggests another.
  const isDefault = args[0] === undefined || args[0].startsWith('-');
  const train = declare('train', 'train a model; the default command', { isDefault });
  addTrainOptions(train.usage('[options]').allowExcessArguments()).action(async () => {
    expectNoCommand(train);
    const [word] = train.args.filter((name) => name !== train.name());
    if (word !== undefined) train.parent!.error(`error: unknown command '${word}'`);
    const { runTrain } = await import('./train/train.ts');
    setExitCode(await runTrain(train, io));
  });
  return train;
}

/** `nn-train sweep`, `nn-train sweep show` and `nn-train worker`. */
function addSweepCommands(declare: Declare, io: Io, setExitCode: SetExitCode): void {
  const sweep = declare('sweep', 'search hyperparameters: train many configurations and rank them');
  sweep.usage('[options] [file]\n       nn-train sweep show [options] <sweep>');
  addSweepOptions(sweep).action(async (file: string | undefined) => {
    const { runSweep } = await import('./sweep/sweep.ts');
    setExitCode(await runSweep(file, sweep, io));
  });
  const show = sweep.command('show').description('print the results of a sweep again, also while it runs');
  addShowOptions(show).action(async (folder: string, options: ShowOptions) => {
    const { runSweepShow } = await import('./sweep/show.ts');
    setExitCode(await runSweepShow(folder, options, io));
  });
  const worker = declare('worker', 'train trials of sweeps that other machines run');
  addWorkerOptions(worker).action(async (options: WorkerOptions) => {
    const { runWorker } = await import('./sweep/worker.ts');
    setExitCode(await runWorker(options, io));
  });
}

/** `nn-train help [COMMAND …]`. */
function addHelpCommand(program: Command, declare: Declare): void {
  const help = declare('help', 'show the help of a command');
  addNotes(
    help.argument('[command...]', 'such as eval, or data download (default: the whole program)'),
    HELP_EXAMPLES,
  ).action(async (names: string[]) => {
    let command = program;
    for (const name of names) {
      if (command.commands.length === 0) break;
      const next = command.commands.find((subcommand) => subcommand.name() === name);
      // For an unknown name, commander's error suggests another.
      if (!next) {
        await command.parseAsync([name], { from: 'user' });
        return;
      }
      command = next;
    }
    command.outputHelp();
  });
}

/** Commands that show and check backpropagation. */
function addExplanations(declare: Declare, io: Io, setExitCode: SetExitCode): void {
  const explanation = declare('explain', 'show the forward and backward pass of a graph, gate by gate');
  addExplainOptions(explanation).action(async (words: string[]) => {
    const { runExplain } = await import('./explain/explain.ts');
    await runExplain(words, explanation, io);
  });

  const gradcheck = declare('gradcheck', 'check backpropagation against central differences');
  gradcheck.argument('[run]', 'run directory whose weights are checked (default: initial weights)');
  addGradcheckOptions(gradcheck).action(async (run: string | undefined) => {
    const { runGradcheck } = await import('./check/gradcheck.ts');
    setExitCode(await runGradcheck(run, gradcheck, io));
  });

  const doctor = declare('doctor', 'run sanity checks on a configuration or a saved run');
  doctor.argument('[run]', 'run directory to examine (default: a new model with the given options)');
  addDoctorOptions(doctor).action(async (run: string | undefined) => {
    const { runDoctor } = await import('./check/doctor.ts');
    setExitCode(await runDoctor(run, doctor, io));
  });
}

/** Commands for saved runs. */
function addRunCommands(declare: Declare, io: Io, setExitCode: SetExitCode): void {
  const list = declare('runs', 'list saved runs, the best first').argument(
    '[folders...]',
    'runs, or folders of runs (default: runs, and the winners in sweeps)',
  );
  addListOptions(list).action(async (folders: string[], options: ListOptions) => {
    const { runList } = await import('./runs/list.ts');
    await runList(folders.flatMap(expandWildcards), options, io);
  });

  const evaluation = declare('eval', 'evaluate a saved run on the test images').argument('<run>', 'run directory');
  addEvalOptions(evaluation).action(async (run: string, options: EvalOptions) => {
    const { runEval } = await import('./runs/eval.ts');
    await runEval(run, options, io);
  });

  const report = declare('report', 'build an HTML report of one run, or compare several').argument(
    '<runs...>',
    'run directories',
  );
  addReportOptions(report).action(async (runs: string[], options: ReportOptions) => {
    const { runReport } = await import('./runs/report.ts');
    setExitCode(await runReport(runs.flatMap(expandWildcards), options, io));
  });

  const prediction = declare('predict', 'classify images with a saved run')
    .argument('<run>', 'run directory')
    .argument('<images...>', "PNG or JPEG files of any size; '-' reads one from stdin");
  addPredictOptions(prediction).action(async (run: string, images: string[], options: PredictOptions) => {
    const { runPredict } = await import('./runs/predict.ts');
    setExitCode(await runPredict(run, images.flatMap(expandWildcards), options, io));
  });

  const weights = declare('weights', 'draw the weights of a saved run as a picture').argument('<run>', 'run directory');
  addWeightsOptions(weights).action(async (run: string, options: WeightsOptions) => {
    const { runWeights } = await import('./runs/weights.ts');
    await runWeights(run, options, io);
  });

  const exporting = declare('export', 'write a saved run as a plain dense network').argument('<run>', 'run directory');
  addExportOptions(exporting).action(async (run: string, options: ExportOptions) => {
    const { runExport } = await import('./runs/export.ts');
    await runExport(run, options, io);
  });
}
