// The layers of the project, from the top down. Each may import the ones below it, never the ones above:
//   bin → cli → {report, doctor} → training → {models, optim, dataset} → engine → backends → {errors, files, random}
//   cli → lecture → explain → {models} → engine; pictures stands alone
const ban = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
});

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
      'backends-know-nothing-of-gradients',
      'A backend is numbers in, numbers out; what is derived from what is the business of the gates.',
      '^src/backends/',
      '^src/(engine|models|optim|dataset|training)/',
    ),
    ban(
      'gates-know-no-device',
      'A gate is written once against the contract (backend.ts); naming one backend would tie it to a device.',
      '^src/(engine|models|optim)/',
      '^src/backends/(?!backend\\.ts$)',
    ),
    ban(
      'the-engine-knows-no-model',
      'Gates and graph must serve any network, so they know neither the models nor how these are trained.',
      '^src/engine/',
      '^src/(models|optim|dataset|training)/',
    ),
    ban(
      'parts-of-training-are-independent',
      'Models, update rules and data meet only in src/training; each can be read and tested alone.',
      '^src/(models|optim|dataset)/',
      '^src/training/',
    ),
    ban(
      'models-do-not-read-data',
      'A model is a function of a batch; where the batch comes from must not matter to it.',
      '^src/models/',
      '^src/(dataset|optim)/',
    ),
    ban(
      'optim-sees-no-model',
      'An update rule is arithmetic on one parameter and its gradient.',
      '^src/optim/',
      '^src/(models|dataset|engine)/',
    ),
    ban(
      'dataset-stands-alone',
      'Reading images needs neither network nor graph: the dataset can be checked without training anything.',
      '^src/dataset/',
      '^src/(models|optim|engine)/',
    ),
    ban(
      'training-does-not-look-at-itself',
      'Reports, checks and drawings read what training leaves; training must run the same without them.',
      '^src/(backends|engine|models|optim|dataset|training)/',
      '^src/(report|doctor|explain|lecture)/',
    ),
    ban(
      'only-data-comes-as-pictures',
      'Files of pictures are one of the forms that a dataset has; to what trains, images are bytes.',
      '^src/(backends|engine|models|optim|training)/',
      '^src/pictures/',
    ),
    ban(
      'explain-trains-nothing',
      'A graph is explained from the graph alone: no data, no optimiser, no run.',
      '^src/(explain|lecture)/',
      '^src/(training|dataset|optim|report|doctor|pictures)/',
    ),
    ban(
      'explain-knows-no-lecture',
      'The lecture is a user of explain, as everybody else.',
      '^src/explain/',
      '^src/lecture/',
    ),
    ban(
      'the-page-runs-in-a-browser',
      'Of the rest of the project there is nothing in a browser but the types of what the page shows.',
      '^src/report/page/',
      '^src/(?!report/(page/|report-data\\.ts)|training/progress\\.ts)',
    ),
    ban(
      'pictures-stand-alone',
      'Reading and writing image files has nothing to do with networks.',
      '^src/pictures/',
      '^src/(?!pictures/|errors\\.ts)',
    ),
    ban(
      'the-entry-point-only-starts-the-cli',
      'bin holds the shebang, and must run before anything is built or installed.',
      '^bin/',
      '(^src/|node_modules/)',
    ),
    ban('no-tests-in-the-product', 'What ships must not need what only the tests have.', '^(bin|src)/', '^test/'),
    {
      name: 'no-cycles',
      comment: 'In a cycle neither file can be understood, tested or moved without the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that package.json does not declare is there by luck.',
      severity: 'error',
      // The page is bundled: what it imports is not needed where it runs.
      from: { path: '^(bin|src)/', pathNot: '^src/report/page/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
