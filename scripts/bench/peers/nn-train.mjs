import { serve } from './serve.mjs';

const nnTrain = await import('../../../dist/index.js');

await serve({
  name: `nn-train, Node ${process.versions.node}`,
  settings: '2 threads',
  modes: ['int16', 'float32'],
  makeStepper: ({ mode, ...request }, set, batches) => makeStepper({ ...request, precision: mode }, set, batches),
});

async function makeStepper(request, set, batches) {
  const { model, hidden, batch } = request;
  const backend = await openBackend(request);
  const config = { model, hidden, activation: 'relu', dropout: 0, loss: 'softmax', labelSmoothing: 0 };
  const built = nnTrain.buildModel(backend, config, batch);
  nnTrain.initialise(built, { init: 'he', initStd: 0.01, seed: 0 });
  const { graph } = built;
  const sinks = makeSinks(graph, request);
  const still = new Uint8Array(batch);
  const unmoved = new Int8Array(batch);
  let loss = Number.NaN;
  return {
    async step() {
      const plan = { indices: batches.next().value, flip: still, shiftX: unmoved, shiftY: unmoved };
      backend.loadBatch(set, plan, built.images.tensor, built.labels.tensor);
      graph.forward({ training: true, key: 0 });
      [loss] = await backend.read(built.loss.tensor);
      graph.backward(built.loss, sinks);
    },
    loss: async () => loss,
    close: () => backend.close?.(),
  };
}

/** @throws Error for a precision that this build does not have. */
async function openBackend({ precision, threads }) {
  if (nnTrain.createBackend) return nnTrain.createBackend({ precision, threads });
  if (precision === 'float32') return new nnTrain.ReferenceBackend();
  throw new Error(`this build has no ${precision}`);
}

/** Turns every gradient into an in-place update; biases do not decay. */
function makeSinks(graph, { learningRate, momentum, weightDecay }) {
  const rule = { kind: 'sgd', learningRate, momentum, nesterov: true };
  return new Map(
    graph.parameters.map((wire) => [
      wire,
      {
        kind: 'update',
        tensor: wire.tensor,
        rule: { ...rule, weightDecay: wire.shape.length > 1 ? weightDecay : 0 },
        state: [graph.backend.allocate(wire.shape)],
      },
    ]),
  );
}
