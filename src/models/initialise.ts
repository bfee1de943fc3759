import { isWeight, sizeOf } from '../backends/backend.ts';
import { Random } from '../random.ts';
import type { Model } from './model.ts';

/** The hyperparameters of the initial weights. */
export interface InitConfig {
  readonly init: 'he' | 'xavier' | 'normal';
  /** The standard deviation σ for `normal`. */
  readonly initStd: number;
  readonly seed: number;
}

/** The factor by which `he` and `xavier` shrink the weights of the output layer. Training then starts from nearly equal
 *  scores, and so from the loss of a random guess: ln 10 for softmax, 9 for hinge. */
const OUTPUT_SCALE = 0.1;

/** Draws the weights from N(0, σ²), and sets the biases to 0, except those of `multi-bias`. For a weight [out, in]:
 *
 *  - `he`: σ² = 2/in. Source: K. He et al., "Delving Deep into Rectifiers" (2015).
 *  - `xavier`: σ² = 2/(in + out). Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
 *    feedforward neural networks" (2010).
 *  - `normal`: σ as given, for every layer.
 *
 *  Each parameter has its own random stream, so the start of a layer does not depend on the rest of the model. */
export function initialise(model: Model, config: InitConfig): void {
  const { backend, parameters } = model.graph;
  const outputWeight = parameters.findLast(isWeight);
  for (const parameter of parameters) {
    const values = new Float64Array(sizeOf(parameter.shape));
    if (isWeight(parameter)) {
      const scale = parameter === outputWeight && config.init !== 'normal' ? OUTPUT_SCALE : 1;
      const std = scale * standardDeviation(config, parameter.shape);
      const random = new Random(config.seed, 'init', parameter.name);
      for (let i = 0; i < values.length; i++) values[i] = std * random.normal();
    } else values.set(model.biasStarts.get(parameter) ?? []);
    backend.write(parameter.tensor, values);
  }
}

function standardDeviation({ init, initStd }: InitConfig, [fanOut, fanIn]: readonly number[]): number {
  switch (init) {
    case 'he':
      return Math.sqrt(2 / fanIn);
    case 'xavier':
      return Math.sqrt(2 / (fanIn + fanOut));
    case 'normal':
      return initStd;
  }
}
