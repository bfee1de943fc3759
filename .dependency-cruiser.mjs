// The layers of the project, from the top down. Each may import the ones below it, never the ones above:
//   bin → cli → report → {doctor, sweep} → {gradcheck, bench, runs} → training → config → {models, optim, dataset} → engine
//       → backends;  cli → explorer → lecture → explain → {models, drawing}
// Below all of them: the files of src/ itself, src/lock, and the file formats src/pictures and src/weights.
const ban = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
});

/** What a page can compute with: none of it may need Node, so it imports neither Node's modules nor files that do. */
const PORTABLE =
  '((engine|models|optim|explain|lecture|drawing)/|backends/(?!wasm/|select\\.ts)|(images|errors|message|closest|random|format)\\.ts)';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ban(
      'only-the-cli-meets-the-terminal',
      'A library that prints, draws bars or parses flags cannot be used from another program.',
      '^src/(?!cli/)',
      '(^src/cli/|node_modules/(commander|cli-progress)/)',
    ),
    ban(
      'the-terminal-knows-no-command',
      'Every command prints through cli/terminal, so it must not depend on any of them.',
      '^src/cli/terminal/',
      '^src/(?!cli/terminal/|(errors|files|format|message)\\.ts)',
    ),
    ban(
      'inputs-know-no-command',
      'All commands share the code that reads their inputs, so it must not know which command reads them.',
      '^src/cli/inputs/',
      '^src/cli/(?!inputs/|terminal/)',
    ),
    ban(
      'groups-of-commands-are-independent',
      'A command can be read, changed or removed without opening another group of commands.',
      '^src/cli/(train|check|explain|runs|data|bench|sweep)/',
      '^src/cli/(?!$1/|inputs/|terminal/)',
    ),
    ban(
      'backends-know-nothing-of-gradients',
      'A backend takes numbers and returns numbers; computing gradients is the job of the gates.',
      '^src/backends/',
      '^src/(?!backends/|images\\.ts|(errors|message)\\.ts|random\\.ts)',
    ),
    ban(
      'only-node-starts-threads',
      'The rest of the wasm backend also runs without worker threads and V8 flags.',
      '^src/backends/(?!wasm/node/)',
      '^(node:)?(worker_threads|v8|os|child_process)$',
    ),
    ban(
      'gates-know-no-device',
      'A gate is written once against the contract (backend.ts); naming one backend would tie it to a device.',
      '^src/(engine|models|optim)/',
      '^src/backends/(?!(backend|update-rules)\\.ts$)',
    ),
    ban(
      'the-engine-knows-no-model',
      'Gates and graph must serve any network, so they know neither the models nor how they are trained.',
      '^src/engine/',
      '^src/(?!engine/|backends/|images\\.ts|(errors|message)\\.ts|random\\.ts)',
    ),
    ban(
      'models-optim-and-dataset-are-independent',
      'Models, update rules and data meet only in src/training; each can be read and tested alone.',
      '^src/(models|optim|dataset)/',
      '^src/(?!$1/|engine/|backends/|pictures/|images\\.ts|(errors|message)\\.ts|documents/|(files|read-file|file-kinds)\\.ts|lock/|format\\.ts|random\\.ts)',
    ),
    ban(
      'optim-sees-no-graph',
      'An update rule is arithmetic on one parameter and its gradient.',
      '^src/optim/',
      '^src/engine/',
    ),
    ban(
      'the-dataset-needs-no-network',
      'Reading images needs neither backend nor graph: the dataset can be checked without training anything.',
      '^src/dataset/',
      '^src/(engine|backends)/',
    ),
    ban(
      'models-read-no-pictures',
      'A model is a function of a batch; where the batch comes from must not matter to it.',
      '^src/(models|optim)/',
      '^src/pictures/',
    ),
    ban(
      'config-is-below-training',
      'Hyperparameters are checked the same way for every caller, before anything is trained.',
      '^src/config/',
      '^src/(?!config/|models/|optim/|backends/backend\\.ts|images\\.ts|(errors|message)\\.ts)',
    ),
    ban(
      'the-loop-knows-no-file',
      'The training loop yields events; saving, showing and judging them is the job of the layers above.',
      '^src/training/',
      '^src/(?!training/|config/|models/|optim/|engine/|backends/|weights/|images\\.ts|documents/|(errors|message)\\.ts|random\\.ts)',
    ),
    ban(
      'a-run-does-not-look-at-itself',
      'Reports, checks and benchmarks read the files of a run; a run must be the same without them.',
      '^src/runs/',
      '^src/(report|doctor|gradcheck|bench|explain|explorer|lecture|drawing|pictures)/',
    ),
    ban(
      'bench-and-gradcheck-need-no-run',
      'Speed and gradients are measured on a model alone, without a run directory.',
      '^src/(bench|gradcheck)/',
      '^src/(runs|doctor|report|explain|explorer|lecture|drawing|pictures)/',
    ),
    ban(
      'doctor-draws-nothing',
      'The doctor returns findings as data; the command line displays them.',
      '^src/doctor/',
      '^src/(report|bench|explain|explorer|lecture|drawing|pictures)/',
    ),
    ban(
      'a-sweep-shows-nothing',
      'A sweep returns its results as data; the report and the command line display them.',
      '^src/sweep/',
      '^src/(report|doctor|gradcheck|bench|explain|explorer|lecture|drawing|pictures)/',
    ),
    ban(
      'only-the-queue-needs-a-server',
      'BullMQ and its client are optional: all but sweeps over a queue must work without them.',
      '^src/(?!sweep/queue/)',
      'node_modules/(bullmq|ioredis)/',
    ),
    ban(
      'a-plan-is-pure',
      'What a sweep does next follows from its results alone, so the plan and the samplers know no clock, file or thread.',
      '^src/sweep/(plan|samplers|space/(?!sweep-file))',
      '^(node:|src/(files|read-file)|src/sweep/(local|queue|trial|sweep|journal/journal)|src/(runs|training|dataset|backends|models)/)',
    ),
    ban(
      'the-report-judges-nothing',
      'The page shows what a run recorded; checks have their own commands.',
      '^src/report/',
      '^src/(doctor|gradcheck|bench|explain|explorer|lecture|drawing)/',
    ),
    ban(
      'explain-trains-nothing',
      'An explanation needs only the graph: no data, no optimiser, no run.',
      '^src/(explain|lecture)/',
      '^src/(training|dataset|optim|runs|config|explorer|report|doctor|gradcheck|bench|pictures)/',
    ),
    ban(
      'explain-knows-no-lecture',
      'The lecture uses explain like any other caller.',
      '^src/explain/',
      '^src/lecture/',
    ),
    ban(
      'the-explorer-runs-in-a-browser',
      'The page to explore graphs computes in the browser; only html.ts, which writes the file, runs in Node.',
      '^src/explorer/(?!html\\.ts)',
      `^src/(?!explorer/(?!html)|report/page/dom\\.ts|${PORTABLE})`,
    ),
    ban(
      'the-explorer-page-is-bundled',
      'Only the bundler reads the page, which needs a browser.',
      '^src/(?!explorer/(network/)?page/)',
      '^src/explorer/(network/)?page/',
    ),
    ban(
      'drawing-knows-no-graph',
      'A drawing is made from a diagram of boxes, wires and texts, whatever their origin.',
      '^src/drawing/',
      '^src/(?!drawing/)',
    ),
    ban(
      'the-page-runs-in-a-browser',
      'In a browser the page can use only the types of the data that it shows, and modules that import nothing.',
      '^src/report/page/',
      '^src/(?!report/(page/|report-data\\.ts|sweep/sweep-data\\.ts)|training/progress\\.ts|images\\.ts|format\\.ts)',
    ),
    {
      name: 'the-engine-runs-in-a-browser',
      comment: 'A page computes with the very gates that train, so they must not need Node.',
      severity: 'error',
      from: { path: `^src/${PORTABLE}` },
      to: { dependencyTypes: ['core'] },
    },
    ban(
      'the-engine-imports-nothing-that-needs-node',
      'What a page can compute with imports only what a page can compute with.',
      `^src/${PORTABLE}`,
      `^src/(?!${PORTABLE})`,
    ),
    ban(
      'shared-modules-know-no-layer',
      'Every layer may use the files of src/ itself, the documents and the locks, so these must not depend on any layer.',
      '^src/((?!index\\.)[^/]+\\.ts$|lock/|documents/)',
      '^src/(?!lock/|documents/)[^/]+/',
    ),
    ban(
      'the-smallest-modules-import-nothing',
      'Any module may import them, including the page in a browser, so they must have no dependencies.',
      '^src/(format|images|file-kinds)\\.ts$',
      '.',
    ),
    ban(
      'file-formats-stand-alone',
      'Reading and writing pictures and weights does not involve networks, only the size of an image.',
      '^src/(pictures|weights)/',
      '^src/(?!$1/|backends/backend\\.ts|images\\.ts|documents/|(errors|message|file-kinds)\\.ts)',
    ),
    ban(
      'the-entry-point-only-starts-the-cli',
      'bin has the shebang and must run before anything is built or installed.',
      '^bin/',
      '(^src/|node_modules/)',
    ),
    ban('no-tests-in-the-product', 'The published package must not depend on test code.', '^(bin|src)/', '^test/'),
    {
      name: 'no-cycles',
      comment: 'In a cycle, no file can be understood, tested or moved without the others.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that package.json does not declare is installed only by luck.',
      severity: 'error',
      // The page is bundled, so its imports are not needed at run time.
      from: { path: '^(bin|src)/', pathNot: '^src/(report|explorer)/(network/)?page/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
