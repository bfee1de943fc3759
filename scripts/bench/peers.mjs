import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { THREADS } from './workloads.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SETUP = 'run scripts/bench/setup.sh';

/** Every peer that this machine can start: { id, group, command, args, env }. Peers of one group are settings of the same
 *  tool, and only the fastest is shown; of nn-train, all are.
 *  @param skip called with the name of each missing peer and how to get it. */
export function findPeers({ data, pythons, skip }) {
  return [...ourPeers(data, skip), ...pythonPeers(data, pythons, skip), ...javascriptPeers(data, skip)];
}

function ourPeers(data, skip) {
  const built = existsSync(here('../../dist/index.js'));
  if (!built) skip('nn-train', 'run npm run build');
  const nodes = new Map([[major(process.versions.node), process.execPath]]);
  for (const name of ['24', '26']) {
    const command = here(`node_modules/node${name}/bin/node`);
    if (nodes.has(name)) continue;
    if (existsSync(command)) nodes.set(name, command);
    else skip(`Node ${name}`, SETUP);
  }
  if (!built) return [];
  const args = [here('peers/nn-train.mjs'), data];
  return [...nodes].map(([name, command]) => ({ id: `ours-${name}`, group: 'ours', command, args }));
}

function javascriptPeers(data, skip) {
  const peer = (id, group, needs, script, ...args) => {
    if (existsSync(here(`node_modules/${needs}`))) {
      return [{ id, group, command: process.execPath, args: [here(`peers/${script}`), data, ...args] }];
    }
    skip(id, SETUP);
    return [];
  };
  return [
    ...peer('tfjs-cpu', 'TensorFlow.js, cpu', '@tensorflow/tfjs', 'tfjs.mjs', 'cpu'),
    ...peer('tfjs-wasm', 'TensorFlow.js, wasm', '@tensorflow/tfjs-backend-wasm', 'tfjs.mjs', 'wasm'),
    ...peer('jax-js-1', 'jax-js', '@jax-js/jax', 'jax-js.mjs', '1'),
    // jax-js needs web workers for more than one thread; Node has none, so web-workers.mjs stands in for them.
    ...peer(`jax-js-${THREADS}`, 'jax-js, our workers', '@jax-js/jax', 'jax-js.mjs', `${THREADS}`),
  ];
}

/** What is known of each Python that is named, or that setup.sh or the system installed: see probe. */
export function findPythons(pythons) {
  return [...pythons, here('.venv/bin/python'), '/usr/bin/python3'].filter(existsSync).map(probe);
}

function pythonPeers(data, pythons, skip) {
  const found = findPythons(pythons);
  const peers = found.filter(({ torch }) => torch).flatMap((python) => pytorchPeers(data, python));
  if (peers.length === 0) skip('PyTorch', `${SETUP}, or name a Python that has it with --python`);
  for (const [module, group, script] of [
    ['numpy', 'NumPy', 'numpy_peer.py'],
    ['sklearn', 'scikit-learn', 'sklearn_peer.py'],
  ]) {
    const python = found.find((one) => one[module]);
    if (!python) skip(group, `${SETUP}, or name a Python that has it with --python`);
    // With only ten columns, a second thread can cost more than it gains.
    for (const threads of python ? [THREADS, 1] : []) {
      const id = `${group.toLowerCase()}-${threads}`;
      peers.push(pythonPeer(python, id, group, threads, [here(`peers/${script}`), data]));
    }
  }
  return peers;
}

/** Thread settings belong to a process, so each is a separate peer. */
function pytorchPeers(data, python) {
  const settings = [
    { suffix: THREADS, threads: THREADS, blas: THREADS, says: `${THREADS} threads` },
    { suffix: 1, threads: 1, blas: 1, says: '1 thread' },
  ];
  // In such builds, two thread pools compete for the cores and make the default setting slow.
  const mixed = { suffix: `1-blas-${THREADS}`, threads: 1, blas: THREADS, says: `1 thread, BLAS ${THREADS} threads` };
  if (!python.mkl) settings.push(mixed);
  return settings.map(({ suffix, threads, blas, says }) => {
    const args = [here('peers/pytorch_peer.py'), data, `${threads}`, says];
    return pythonPeer(python, `pytorch-${python.torch}-${suffix}`, 'PyTorch', blas, args);
  });
}

function pythonPeer(python, id, group, blasThreads, args) {
  return { id, group, command: python.command, args, env: pythonEnvironment(python, blasThreads) };
}

/** The environment in which a Python computes fastest. */
export function pythonEnvironment(python, blasThreads) {
  const env = {
    ...process.env,
    OMP_WAIT_POLICY: 'passive', // an idle peer must not spin while others are measured
    OPENBLAS_NUM_THREADS: `${blasThreads}`,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  for (const name of ['OMP_NUM_THREADS', 'MKL_NUM_THREADS']) delete env[name];
  if (python.isCurrent) {
    // Some machines set these because old builds compute wrong results without them; they slow current builds.
    for (const name of ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE']) delete env[name];
  }
  return env;
}

const PROBE = `
import importlib.util, json
def version(name):
    try: return __import__(name).__version__.split('+')[0]
    except ImportError: return None
torch = version('torch')
mkl = torch is not None and 'BLAS_INFO=mkl' in __import__('torch').__config__.show()
optuna = version('optuna')
sklearn = importlib.util.find_spec('sklearn') is not None
print(json.dumps(dict(numpy=version('numpy'), torch=torch, mkl=mkl, sklearn=sklearn, optuna=optuna)))
`;

/** Packages of a Python: { command, numpy, torch, mkl, sklearn, optuna, isCurrent }. */
function probe(command) {
  const { stdout, status } = spawnSync(command, ['-c', PROBE], { encoding: 'utf8' });
  if (status !== 0) return { command };
  const found = JSON.parse(stdout);
  const isCurrent = Number(major(found.numpy ?? '0')) >= 2 && Number(major(found.torch ?? '2')) >= 2;
  return { command, ...found, isCurrent };
}

function major(version) {
  return version.split('.')[0];
}
