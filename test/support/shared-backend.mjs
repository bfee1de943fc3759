// Shares a backend of the built program with worker threads that work at the same time, and works alone too, to compare:
// node shared-backend.mjs DIST OPTIONS. Prints one line of JSON.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const DIST = isMainThread ? process.argv[2] : workerData.dist;
/** @param {string} module */
const load = (module) => import(pathToFileURL(path.join(DIST, module)).href);
const { createBackend, openShared } = await load('backends/select.js');

/** What a worker trains in each round: models of different sizes, so that no two rounds need the same memory.
 *  @param {number} worker @param {number} round @param {string} precision */
function configOf(worker, round, precision) {
  const index = worker + 8 * round;
  const common = { precision, val: 0, epochs: 1, batchSize: 40 + index, seed: index };
  if (index % 3 === 0) return { ...common, model: 'linear' };
  return { ...common, model: 'mlp', hidden: 3 + index, ...(index % 3 === 1 ? { recipe: 'plain' } : {}) };
}

/** Trains for an epoch and returns a hash of the weights.
 *  @param {any} backend @param {any} images @param {object} given */
async function train(backend, images, given) {
  const [{ resolveConfig }, { buildModel }, { initialise }, { Trainer }, { rows }] = await Promise.all(
    ['config/resolve.js', 'models/model.js', 'models/initialise.js', 'training/trainer.js', 'training/batches.js'].map(
      load,
    ),
  );
  const config = resolveConfig(given);
  const model = buildModel(backend, config, config.batchSize);
  initialise(model, config);
  const split = { train: rows(images.labels.length), validation: new Uint32Array() };
  for await (const _ of new Trainer(model, images, split, config).run());
  const hash = createHash('sha256');
  for (const { tensor } of model.graph.parameters) hash.update(await backend.read(tensor));
  return hash.digest('hex');
}

/** Allocates tensors of random sizes and fills them, and returns how many numbers are not what they should be: zero at first,
 *  and untouched by the other workers at the end.
 *  @param {any} backend @param {any} random @param {number} worker */
async function fill(backend, random, worker) {
  let wrong = 0;
  const tensors = Array.from({ length: 8 }, (_, i) => {
    const size = 1 + random.integer(2 ** (4 + random.integer(16)));
    return { size, value: 100 * worker + i + 1, tensor: backend.allocate([size]) };
  });
  /** @param {any} tensor @param {number} value */
  const check = async (tensor, value) => {
    for (const number of await backend.read(tensor)) wrong += Number(number !== value);
  };
  for (const { size, value, tensor } of tensors) {
    await check(tensor, 0);
    backend.write(tensor, new Float32Array(size).fill(value));
  }
  for (const { value, tensor } of tensors) await check(tensor, value);
  return wrong;
}

async function work() {
  const { shared, worker, rounds, precision, threads } = workerData;
  const { Random } = await load('random.js');
  const random = new Random(0, 'worker', worker);
  const backend = await openShared(shared, { precision, threads });
  let wrong = 0;
  const weights = [];
  for (let round = 0; round < rounds; round++) {
    weights.push(await train(backend, shared.sets[0], configOf(worker, round, precision)));
    backend.reset();
    for (let i = 0; i < 20; i++) {
      wrong += await fill(backend, random, worker);
      backend.reset();
    }
  }
  backend.close();
  parentPort?.postMessage({ weights, wrong, flags: backend.info.flags });
}

async function main() {
  const {
    backend: name,
    precision,
    opened = precision,
    workers,
    rounds,
    threads = 1,
    ...rest
  } = JSON.parse(process.argv[3]);
  const { detectEngine } = await load('backends/wasm/node/engine.js');
  const engine = rest.isUnshared ? { ...detectEngine({ v8Flags: true }), threads: false } : undefined;
  const backend = await createBackend({ backend: name, precision }, engine);
  const images = backend.imageSet(200);
  for (let i = 0; i < images.images.length; i++) images.images[i] = (i * 2654435761) >>> 24;
  for (let i = 0; i < 200; i++) images.labels[i] = i % 10;
  const shared = backend.share([images]);
  const pool = Array.from({ length: workers }, (_, worker) => {
    const data = { dist: DIST, shared, worker, rounds, precision: opened, threads };
    const thread = new Worker(new URL(import.meta.url), { workerData: data });
    return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
  });
  const results = await Promise.all(pool);
  backend.close();
  const alone = await createBackend({ backend: name, precision: opened, threads: 1 }, engine);
  const expected = [];
  for (let worker = 0; worker < workers; worker++) {
    const weights = [];
    for (let round = 0; round < rounds; round++)
      weights.push(await train(alone, images, configOf(worker, round, opened)));
    expected.push(weights);
  }
  alone.close();
  process.stdout.write(JSON.stringify({ results, expected, flags: backend.info.flags }));
}

await (isMainThread ? main() : work());
