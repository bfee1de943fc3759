import { closest } from '../../closest.ts';

// Names that other libraries and scripts use for our commands, options and choices. They are suggested, never accepted, so
// that each option has one spelling.

/** By option: names in PyTorch, Keras and scikit-learn that are neither a prefix nor an extension of the option's name. */
const OPTIONS: Readonly<Record<string, string>> = {
  model: 'arch architecture net network classifier estimator',
  hidden: 'n-hidden num-hidden units neurons',
  activation: 'nonlinearity',
  dropout: 'drop-rate',
  loss: 'criterion objective',
  'label-smoothing': 'smoothing',
  init: 'kernel-initializer weight-init',
  'init-std': 'std stddev init-scale',
  precision: 'dtype amp half fp16',
  epochs: 'n-epochs num-epochs nb-epochs max-epochs max-iter n-iter iterations',
  'batch-size': 'bs minibatch minibatch-size',
  lr: 'learning-rate learning-rate-init eta eta0 step-size',
  schedule: 'scheduler lr-schedule lr-scheduler lr-decay learning-rate-schedule',
  warmup: 'lr-warmup',
  optimizer: 'optimiser solver algorithm',
  momentum: 'mu beta1',
  nesterov: 'nesterovs-momentum',
  'weight-decay': 'wd l2 l2-reg alpha reg regularization regularisation lambda penalty decay',
  flip: 'hflip horizontal-flip random-flip mirror augment augmentation',
  shift: 'crop random-crop translate padding',
  'early-stop': 'patience n-iter-no-change',
  seed: 'random-state random-seed manual-seed rng',
  'train-limit': 'limit subset max-samples n-train num-train train-size',
  data: 'dataroot root path',
  threads: 'num-threads n-threads workers num-workers n-jobs jobs cores',
  backend: 'device cuda no-cuda gpu no-gpu cpu accelerator',
  out: 'save save-dir output output-dir log-dir checkpoint-dir o',
  resume: 'load restore continue checkpoint ckpt',
  'init-from': 'pretrained finetune fine-tune warm-start init-weights',
  weights: 'checkpoint ckpt best last',
  dense: 'safetensors save output out file o',
  views: 'tta test-time-augmentation',
  png: 'save output out file o',
  svg: 'save output out file o',
  config: 'cfg params',
  'print-config': 'dry-run',
  watch: 'port live serve',
  open: 'browser show',
  quiet: 'q silent verbose',
  'no-progress': 'no-bar',
};

const COMMANDS: Readonly<Record<string, string>> = {
  train: 'fit run learn',
  runs: 'list ls history',
  eval: 'test score validate',
  predict: 'infer inference classify',
  report: 'plot html page compare visualize visualise',
  weights: 'filters templates',
  export: 'convert save pytorch torch onnx safetensors dense',
  gradcheck: 'gradients grad-check gradient-check',
  doctor: 'check diagnose sanity',
  explain: 'graph backprop',
  bench: 'speed profile',
  data: 'images cifar10 cifar',
  download: 'fetch get',
  verify: 'check',
  info: 'show describe',
  path: 'where',
  '--model linear': 'linear softmax svm',
  '--model mlp': 'mlp nn',
  'data download': 'download fetch',
  'data verify': 'verify',
  'data import': 'import',
  'data info': 'info',
  '--resume RUN': 'resume continue',
  '--version': 'version',
};

/** By command: the command to give the path of the images to as an argument, not as an option. */
const PATH_ARGUMENTS: Readonly<Record<string, string>> = {
  'data info': 'data info PATH',
  'data verify': 'data verify PATH',
  'data import': 'data import PATH',
  'data path': 'data info PATH',
};

/** By option and choice. */
const CHOICES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  model: { linear: 'logistic logistic-regression softmax svm perceptron', mlp: 'nn net fc dense two-layer' },
  activation: { sigmoid: 'logistic', 'leaky-relu': 'lrelu' },
  loss: {
    softmax: 'cross-entropy crossentropy ce nll log-loss categorical-crossentropy sparse-categorical-crossentropy',
    hinge: 'svm margin multi-margin categorical-hinge',
  },
  init: { he: 'kaiming he-normal kaiming-normal', xavier: 'glorot glorot-normal xavier-normal', normal: 'gaussian' },
  precision: { int16: 'int', float32: 'float fp32 f32 single' },
  schedule: { constant: 'none fixed off', step: 'steplr multistep', cosine: 'cos cosineannealing cosineannealinglr' },
  optimizer: { sgd: 'momentum nesterov gd', adamw: 'adam' },
  dataset: { cifar10: 'cifar', synthetic: 'fake random generated' },
  backend: { wasm: 'cpu simd gpu cuda', reference: 'plain js' },
};

/** A name without its hyphens, underscores, capitals and value: --learning_rate=1 and learningRate become learningrate. */
export function bareName(word: string): string {
  return word.replace(/=.*$|[-_ ]/g, '').toLowerCase();
}

/** Options for which other libraries use a word. */
export function optionsCalled(word: string): string[] {
  return keysWith(OPTIONS, word);
}

/** Shorter words are close to too many others. */
const MIN_NEARLY = 5;

/** The same for a word that is almost spelled so. */
export function optionsNearlyCalled(word: string): string[] {
  if (word.length < MIN_NEARLY) return [];
  const words = Object.values(OPTIONS).flatMap((synonyms) => synonyms.split(' ').map(bareName));
  const near = closest(bareName(word), words);
  return near === undefined ? [] : optionsCalled(near);
}

/** The command that takes the path of the images as an argument, for a command without the option --data. */
export function pathArgumentFor(word: string, command: string): string[] {
  const isData = bareName(word) === 'data' || optionsCalled(word).includes('data');
  return isData && PATH_ARGUMENTS[command] !== undefined ? [PATH_ARGUMENTS[command]] : [];
}

/** Commands for which other libraries use a word, or options that replace such a command. */
export function commandsCalled(word: string): string[] {
  return keysWith(COMMANDS, word);
}

/** Choice of an option for which other libraries use a word. */
export function choiceCalled(option: string, word: string, choices: readonly string[]): string | undefined {
  return (
    choices.find((choice) => bareName(choice) === bareName(word)) ??
    keysWith(CHOICES[option] ?? {}, word).find((choice) => choices.includes(choice))
  );
}

function keysWith(synonyms: Readonly<Record<string, string>>, word: string): string[] {
  const wanted = bareName(word);
  return Object.keys(synonyms).filter((key) => synonyms[key].split(' ').map(bareName).includes(wanted));
}
