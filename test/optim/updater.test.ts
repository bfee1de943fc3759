import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import type { Optimizer } from '../../src/optim/optimizer.ts';
import { OPTIMIZERS } from '../../src/optim/optimizers.ts';
import { Updater } from '../../src/optim/updater.ts';

const SETTINGS = { lr: 0.1, headLr: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0.5 };

function parameter(backend: ReferenceBackend, name: string, shape: readonly number[], values: readonly number[]) {
  const tensor = backend.allocate(shape);
  backend.write(tensor, values);
  return { name, shape, tensor, matrices: 0 };
}

describe('Updater', () => {
  it('names the saved tensors: every parameter, followed by its state', () => {
    const backend = new ReferenceBackend();
    const parameters = [parameter(backend, 'w', [1, 2], [1, 2]), parameter(backend, 'b', [2], [3, 4])];
    const names = (name: keyof typeof OPTIMIZERS, settings = SETTINGS) =>
      new Updater(OPTIMIZERS[name].create(settings), backend, parameters).tensors.map(([saved]) => saved);
    expect(names('sgd')).toEqual(['w', 'w.momentum_buffer', 'b', 'b.momentum_buffer']);
    expect(names('sgd', { ...SETTINGS, momentum: 0 })).toEqual(['w', 'b']);
    expect(names('adamw')).toEqual(['w', 'w.exp_avg', 'w.exp_avg_sq', 'b', 'b.exp_avg', 'b.exp_avg_sq']);
  });

  it('decays weights, but not biases', async () => {
    const backend = new ReferenceBackend('float64');
    const [w, b] = [parameter(backend, 'w', [1, 2], [1, 2]), parameter(backend, 'b', [2], [1, 2])];
    const sinks = new Updater(OPTIMIZERS.sgd.create(SETTINGS), backend, [w, b]).begin(1, 0.1);
    const zero = { w: backend.allocate([1, 2]), b: backend.allocate([2]) };
    backend.deliver(zero.w, sinks.get(w)!);
    backend.deliver(zero.b, sinks.get(b)!);
    expect(Array.from(await backend.read(w.tensor))).toEqual([0.95, 1.9]);
    expect(Array.from(await backend.read(b.tensor))).toEqual([1, 2]);
  });

  it('calls end after the backward pass, for rules that need the whole gradient: here w ← w − η ‖g‖² g', async () => {
    const byNorm: Optimizer = {
      attach({ shape, tensor }, backend) {
        const gradient = backend.allocate(shape);
        const factor = backend.allocate([]);
        let rate = 0;
        return {
          state: {},
          begin(_step, learningRate) {
            rate = learningRate;
            return { kind: 'store', tensor: gradient };
          },
          end() {
            backend.sumSquares(gradient, -rate, factor);
            backend.scale(gradient, 1, factor, { kind: 'add', tensor });
          },
        };
      },
    };
    const backend = new ReferenceBackend('float64');
    const w = parameter(backend, 'w', [1, 2], [1, 2]);
    const updater = new Updater(byNorm, backend, [w]);
    const gradient = parameter(backend, 'g', [1, 2], [3, 4]);
    backend.deliver(gradient.tensor, updater.begin(1, 0.5).get(w)!);
    expect(Array.from(await backend.read(w.tensor))).toEqual([1, 2]);
    updater.end();
    expect(Array.from(await backend.read(w.tensor))).toEqual([1 - 0.5 * 25 * 3, 2 - 0.5 * 25 * 4]);
  });
});
