// TensorFlow.js on its cpu or wasm backend, with a hand-written backward pass: its wasm backend lacks some gradients, and its
// optimisers would run more kernels. Weights are [in, out], and operands are transposed before a product, because the wasm
// backend is fast only for products of untransposed operands. Usage: FOLDER BACKEND.
import * as tf from '@tensorflow/tfjs';
import { gather, normals, parameterShapes } from './cifar.mjs';
import { serve } from './serve.mjs';

const backend = process.argv[3];
// One thread: Node.js does not get the build with threads, which reports a single one even if it is made to load.
if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
await tf.setBackend(backend);

function makeStepper(request, set, batches) {
  const { batch } = request;
  const layers = parameterShapes(request).map((shape) => new Layer(shape, request));
  const pixels = new Float32Array(batch * 3072);
  const labels = new Int32Array(batch);
  let last = tf.scalar(Number.NaN);

  function step() {
    gather(set, batches.next().value, pixels, labels);
    tf.tidy(() => {
      const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), 10);
      const inputs = [tf.tensor2d(pixels, [batch, 3072])];
      if (layers.length > 1) inputs.push(layers[0].forward(inputs[0], 'relu'));
      const probabilities = tf.softmax(layers.at(-1).forward(inputs.at(-1)));
      const ofLabel = tf.sum(tf.mul(probabilities, targets), 1);
      const loss = tf.keep(tf.neg(tf.mean(tf.log(ofLabel))));
      last.dispose();
      last = loss;

      const upstream = tf.div(tf.sub(probabilities, targets), batch);
      if (layers.length > 1) {
        const active = tf.matMul(upstream, tf.transpose(layers[1].weight));
        layers[0].update(tf.mul(active, tf.step(inputs[1])), inputs[0]);
      }
      layers.at(-1).update(upstream, inputs.at(-1));
    });
  }

  return {
    step,
    loss: async () => (await last.data())[0],
    close: () => {
      for (const layer of layers) layer.dispose();
    },
  };
}

class Layer {
  #request;

  constructor(shape, request) {
    this.#request = request;
    this.weight = tf.tensor2d(normals(shape.out * shape.in, shape.deviation), [shape.in, shape.out]);
    this.bias = tf.zeros([shape.out]);
    this.momenta = { weight: tf.zeros([shape.in, shape.out]), bias: tf.zeros([shape.out]) };
  }

  forward(x, activation = 'linear') {
    return tf.fused.matMul({ a: x, b: this.weight, bias: this.bias, activation });
  }

  update(upstream, x) {
    const decay = tf.mul(this.weight, this.#request.weightDecay);
    this.#follow('weight', tf.add(tf.matMul(tf.transpose(x), upstream), decay));
    this.#follow('bias', tf.sum(upstream, 0));
  }

  /** v ← μ v + g;  w ← w − η (g + μ v) */
  #follow(name, gradient) {
    const { momentum, learningRate } = this.#request;
    const [weight, velocity] = [this[name], this.momenta[name]];
    this.momenta[name] = tf.keep(tf.add(tf.mul(velocity, momentum), gradient));
    const direction = tf.add(gradient, tf.mul(this.momenta[name], momentum));
    this[name] = tf.keep(tf.sub(weight, tf.mul(direction, learningRate)));
    tf.dispose([weight, velocity]);
  }

  dispose() {
    tf.dispose([this.weight, this.bias, this.momenta]);
  }
}

await serve({ name: `TensorFlow.js ${tf.version.tfjs}, ${backend}`, settings: '1 thread', makeStepper });
