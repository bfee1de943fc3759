/** The public API: train, test and load runs, and build graphs of gates. */
export type {
  Activation,
  Backend,
  BackendInfo,
  DType,
  ElementwiseBackend,
  MatmulOptions,
  Precision,
  Shape,
  SharedBackend,
  Sink,
  Tensor,
} from './backends/backend.ts';
export { ShapeError } from './backends/backend.ts';
export { ReferenceBackend } from './backends/reference/reference.ts';
export {
  type BackendChoice,
  type BackendOptions,
  createBackend,
  type OpenOptions,
  openShared,
} from './backends/select.ts';
export type { UpdateRule } from './backends/update-rules.ts';
export type { Config } from './config/config.ts';
export { resolveConfig } from './config/resolve.ts';
export { type Dataset, type DatasetEvent, type DatasetNote, type LoadOptions, loadDataset } from './dataset/load.ts';
export { type BackwardContext, type Gate, type Gradient, type Pass, store } from './engine/gate.ts';
export { activation } from './engine/gates/activation.ts';
export { add } from './engine/gates/add.ts';
export { dropout } from './engine/gates/dropout.ts';
export { elementwise } from './engine/gates/elementwise.ts';
export { linear } from './engine/gates/linear.ts';
export { hinge } from './engine/gates/losses/hinge.ts';
export { l2Penalty } from './engine/gates/losses/l2-penalty.ts';
export { softmaxCrossEntropy } from './engine/gates/losses/softmax-cross-entropy.ts';
export { matmul } from './engine/gates/matmul.ts';
export { squaredNorm } from './engine/gates/squared-norm.ts';
export { Graph } from './engine/graph.ts';
export type { Wire } from './engine/wire.ts';
export { DataError, DivergedError, FileError, UsageError, UserError } from './errors.ts';
export {
  checkGradients,
  type GateCheck,
  type GradientCheck,
  type GradientCheckOptions,
  type ParameterCheck,
} from './gradcheck/check-gradients.ts';
export type { BatchPlan, DatasetChoice, ImageSet } from './images.ts';
export type { Message } from './message.ts';
export { initialise } from './models/initialise.ts';
export { buildModel, type Model, type ModelConfig } from './models/model.ts';
export { type DecodedPicture, decodePicture } from './pictures/decode.ts';
export { type CifarImage, toCifar } from './pictures/resize.ts';
export type { Environment } from './runs/environment.ts';
export type { PartialResult, RunEnded, RunEvent, RunResult, RunStarted, RunStopped } from './runs/events.ts';
export { type OpenedRun, type OpenRunOptions, openRun, type RecordedRun, readRun } from './runs/open-run.ts';
export { classesOf, type SavedRun } from './runs/record.ts';
export { RunDirectory, type Weights } from './runs/run-directory.ts';
export { type InitialWeights, readInitialWeights } from './runs/saved/initial-weights.ts';
export { type Interrupted, type TrainOptions, train } from './runs/train.ts';
export { evaluate, type Metrics } from './training/evaluate.ts';
export { predict, predictedClasses, softmaxRows } from './training/predict.ts';
export type { EpochMetrics, EpochResult, Progress, TrainingEvent } from './training/progress.ts';
export { evaluateViews, predictViews, type TestMetrics, type View, type ViewCount, viewsOf } from './training/views.ts';
