/** A workload: training steps of one model at one batch size. */
const linear = (batch) => ({ name: `linear-${batch}`, model: 'linear', hidden: null, batch, learningRate: 0.001 });
const mlp = (hidden, batch) => ({ name: `mlp-${hidden}-${batch}`, model: 'mlp', hidden, batch, learningRate: 0.01 });

export const WORKLOADS = [linear(256), mlp(100, 100), mlp(512, 64), mlp(512, 256), mlp(2048, 256)];

/** SGD with Nesterov momentum, the same for every peer. */
export const RECIPE = { momentum: 0.9, weightDecay: 1e-4 };

export const THREADS = 2;

/** A correct peer starts near ln 10 = 2.303 and falls from there. */
export const MAX_LOSS = 2.4;
