// jax-js on its wasm backend: autograd, with the whole step in one jit. Usage: FOLDER THREADS.
import { readFileSync } from 'node:fs';
import { gather, normals, parameterShapes } from './cifar.mjs';
import { serve } from './serve.mjs';
import { webWorkers } from './web-workers.mjs';

const threads = Number(process.argv[3]);
if (threads > 1) webWorkers(threads);
const { blockUntilReady, defaultDevice, init, jit, nn, numpy: np, tree, valueAndGrad } = await import('@jax-js/jax');
const { version } = JSON.parse(readFileSync(new URL('../node_modules/@jax-js/jax/package.json', import.meta.url)));
await init('wasm');
defaultDevice('wasm');

const settings = threads > 1 ? `${threads} threads` : '1 thread';
await serve({ name: `jax-js ${version}, wasm`, settings, makeStepper });

function makeStepper(request, set, batches) {
  const { batch } = request;
  const shapes = parameterShapes(request);
  let weights = shapes.flatMap(({ out, in: width, deviation }) => [
    np.array(normals(out * width, deviation)).reshape([out, width]),
    np.zeros([out]),
  ]);
  let momenta = shapes.flatMap(({ out, in: width }) => [np.zeros([out, width]), np.zeros([out])]);
  const pixels = new Float32Array(batch * 3072);
  const labels = new Int32Array(batch);
  const update = jit((w, v, x, y) => train(request, w, v, x, y));
  let last = null;

  return {
    async step() {
      gather(set, batches.next().value, pixels, labels);
      const x = np.array(pixels.slice()).reshape([batch, 3072]);
      const y = nn.oneHot(np.array(labels.slice()), 10);
      last?.dispose();
      [last, weights, momenta] = update(weights, momenta, x, y);
      await blockUntilReady([last, weights, momenta]);
    },
    loss: async () => (await last.ref.data())[0],
    close: () => tree.dispose([last, weights, momenta]),
  };
}

// Every use of an array but the last takes .ref: functions of jax-js own their arguments.
function meanLoss(weights, x, y) {
  let values = x;
  for (let i = 0; i < weights.length; i += 2) {
    values = np.matmul(i === 0 ? values : nn.relu(values), weights[i].transpose()).add(weights[i + 1]);
  }
  return nn.logSoftmax(values).mul(y).sum(1).mean().neg();
}

function train({ momentum, weightDecay, learningRate }, weights, momenta, x, y) {
  const [loss, gradients] = valueAndGrad(meanLoss)(tree.ref(weights), x, y);
  const next = weights.map((w, i) => {
    const g = i % 2 === 0 ? gradients[i].add(w.ref.mul(weightDecay)) : gradients[i];
    const v = momenta[i].mul(momentum).add(g.ref);
    return { v: v.ref, w: w.sub(g.add(v.mul(momentum)).mul(learningRate)) };
  });
  return [loss, next.map(({ w }) => w), next.map(({ v }) => v)];
}
