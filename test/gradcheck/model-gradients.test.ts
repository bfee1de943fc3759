import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Activation } from '../../src/backends/backend.ts';
import { type Backend, sizeOf } from '../../src/backends/backend.ts';
import { valuesOf } from '../../src/backends/reference/tensor.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Gate, Gradient } from '../../src/engine/gate.ts';
import { checkModelGradients, type ModelGradientCheck } from '../../src/gradcheck/model-gradients.ts';
import { rows } from '../../src/training/batches.ts';
import { ACTIVATIONS } from '../support/graphs.ts';
import { randomImageSet } from '../support/images.ts';

type Damage = (gradient: Float64Array, shape: readonly number[]) => Float64Array;

/** The gate input whose gradient is damaged. */
const fault = vi.hoisted(() => ({ gate: '', input: '', damage: undefined as Damage | undefined }));

/** Wraps a gate so that `fault` can damage its backward. */
const breakable = vi.hoisted(
  () =>
    (gate: Gate): Gate => ({
      ...gate,
      backward(backend, at) {
        const gradients = { ...gate.backward(backend, at) };
        const { input, damage } = fault;
        if (damage && fault.gate === gate.name && gradients[input]) {
          gradients[input] = broken(backend, gradients[input], at.inputs[input].shape, damage);
        }
        return gradients;
      },
    }),
);

function broken(backend: Backend, right: Gradient, shape: readonly number[], damage: Damage): Gradient {
  return (into) => {
    const gradient = backend.allocate(shape);
    right({ kind: 'store', tensor: gradient });
    backend.write(gradient, damage(Float64Array.from(valuesOf(gradient)), shape));
    backend.deliver(gradient, into);
  };
}

vi.mock('../../src/engine/gates/linear.ts', async (load) => {
  const { linear } = await load<typeof import('../../src/engine/gates/linear.ts')>();
  return { linear: breakable(linear) };
});
vi.mock('../../src/engine/gates/local-linear.ts', async (load) => {
  const { localLinear, localLinearWithBias } = await load<typeof import('../../src/engine/gates/local-linear.ts')>();
  return {
    localLinear: (fields: number) => breakable(localLinear(fields)),
    localLinearWithBias: (fields: number) => breakable(localLinearWithBias(fields)),
  };
});
vi.mock('../../src/engine/gates/multi-bias.ts', async (load) => {
  const { multiBias } = await load<typeof import('../../src/engine/gates/multi-bias.ts')>();
  return { multiBias: (thresholds: number) => breakable(multiBias(thresholds)) };
});
vi.mock('../../src/engine/gates/add.ts', async (load) => {
  const { add } = await load<typeof import('../../src/engine/gates/add.ts')>();
  return { add: breakable(add) };
});
vi.mock('../../src/engine/gates/losses/hinge.ts', async (load) => {
  const { hinge } = await load<typeof import('../../src/engine/gates/losses/hinge.ts')>();
  return { hinge: breakable(hinge) };
});
vi.mock('../../src/engine/gates/activation.ts', async (load) => {
  const { activation } = await load<typeof import('../../src/engine/gates/activation.ts')>();
  return { activation: (kind: Activation) => breakable(activation(kind)) };
});
vi.mock('../../src/engine/gates/dropout.ts', async (load) => {
  const { dropout } = await load<typeof import('../../src/engine/gates/dropout.ts')>();
  return { dropout: (rate: number) => breakable(dropout(rate)) };
});
vi.mock('../../src/engine/gates/losses/softmax-cross-entropy.ts', async (load) => {
  const { softmaxCrossEntropy } = await load<typeof import('../../src/engine/gates/losses/softmax-cross-entropy.ts')>();
  return { softmaxCrossEntropy: (smoothing: number) => breakable(softmaxCrossEntropy(smoothing)) };
});
vi.mock('../../src/engine/gates/losses/l2-penalty.ts', async (load) => {
  const { l2Penalty } = await load<typeof import('../../src/engine/gates/losses/l2-penalty.ts')>();
  return { l2Penalty: (weightDecay: number) => breakable(l2Penalty(weightDecay)) };
});

const DAMAGES: Record<string, Damage> = {
  'a factor of 1.001': (gradient) => gradient.map((value) => 1.001 * value),
  'the wrong sign': (gradient) => gradient.map((value) => -value),
  'one coordinate off by 1 % of the root mean square': (gradient) => {
    const rms = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0) / gradient.length);
    return gradient.map((value, i) => (i === Math.floor(gradient.length / 3) ? value + 0.01 * rms : value));
  },
  'rows and columns swapped': (gradient, [rows, columns = 1]) =>
    columns === 1
      ? gradient.toReversed()
      : gradient.map((_, i) => gradient[(i % columns) * rows + Math.floor(i / columns)]),
};

const images = randomImageSet(4, 'gradients');

function check(given: Partial<Config>): Promise<ModelGradientCheck> {
  const model: Partial<Config> = given.model === 'linear' ? {} : { recipe: 'plain', model: 'mlp', hidden: 8 };
  const config = resolveConfig({ ...model, ...given });
  return checkModelGradients({ config, images, indices: rows(4), directions: 2, coordinates: 6 });
}

beforeEach(() => {
  fault.damage = undefined;
});

/** Four receptive fields. */
const LOCAL: Partial<Config> = { hidden: 3, receptiveField: 16, receptiveStride: 16 };

describe('passes right gradients', () => {
  const configs: Partial<Config>[] = [
    { model: 'linear' },
    { model: 'linear', loss: 'hinge', init: 'xavier' },
    ...ACTIVATIONS.map((activation): Partial<Config> => ({ activation })),
    ...ACTIVATIONS.map((activation): Partial<Config> => ({ activation, loss: 'hinge', dropout: 0.5 })),
    { dropout: 0.3, labelSmoothing: 0.2, weightDecay: 0.1, init: 'normal', initStd: 0.05 },
    // The hidden scores are so small that whole directions cross kinks.
    { init: 'normal', initStd: 1e-5 },
    { optimizer: 'adamw' },
    { optimizer: 'muon' },
    { activation: 'crelu', loss: 'hinge', dropout: 0.3 },
    { activation: 'multi-bias', weightDecay: 0.1 },
    ...[...ACTIVATIONS, 'crelu' as const].map((activation): Partial<Config> => ({ ...LOCAL, activation })),
    { ...LOCAL, receptiveStride: 8, activation: 'multi-bias', dropout: 0.3, labelSmoothing: 0.2 },
    { ...LOCAL, mirror: true, activation: 'multi-bias', dropout: 0.3 },
    { mirror: true, activation: 'tanh' },
    { recipe: 'fast', hidden: 2 },
  ];
  it.each(configs.map((config) => [JSON.stringify(config), config] as const))('%s', async (_, config) => {
    const { parameters, gates, passed } = await check(config);
    for (const { verdict, ...rest } of [...parameters, ...gates]) expect(verdict, JSON.stringify(rest)).toBe('right');
    expect(passed).toBe(true);
  });
});

describe('finds and names a broken backward', () => {
  const places: [gate: string, input: string, config: Partial<Config>][] = [
    ['linear', 'weight', {}],
    ['linear', 'bias', {}],
    ['linear', 'x', {}],
    ['linear', 'weight', { model: 'linear' }],
    ...ACTIVATIONS.map((kind): [string, string, Partial<Config>] => [kind, 'x', { activation: kind }]),
    ['local linear', 'x', LOCAL],
    ['local linear', 'weight', LOCAL],
    ['local linear', 'bias', LOCAL],
    ...(['crelu', 'multi-bias'] as const).flatMap((activation): [string, string, Partial<Config>][] => [
      ['local linear', 'x', { ...LOCAL, activation }],
      ['local linear', 'weight', { ...LOCAL, activation }],
      [activation, 'x', { ...LOCAL, activation }],
      [activation, 'bias', { ...LOCAL, activation }],
    ]),
    ['multi-bias', 'x', { activation: 'multi-bias' }],
    ['local linear', 'weight', { ...LOCAL, mirror: true }],
    ['dropout', 'x', { dropout: 0.4 }],
    ['hinge', 'logits', { loss: 'hinge' }],
    ['softmax cross-entropy', 'logits', {}],
    ['L2 penalty', 'weight', {}],
    ['+', 'a', {}],
    ['+', 'b', {}],
  ];
  const cases = places.flatMap(([gate, input, config]) =>
    Object.keys(DAMAGES)
      // The inputs of the addition are scalars here.
      .filter((_, i) => gate !== '+' || i < 2)
      .map((damage) => [gate, input, damage, config] as const),
  );
  it.each(cases)('%s, gradient with respect to %s: %s, %o', async (gate, input, damage, config) => {
    Object.assign(fault, { gate, input, damage: DAMAGES[damage] });
    const { gates, passed } = await check(config);
    expect(passed).toBe(false);
    const failed = gates.filter(({ verdict }) => verdict === 'suspicious' || verdict === 'wrong');
    const wanted = gates.filter((found) => found.gate === gate && found.input === input);
    expect(failed.map(({ gate, output, input }) => [gate, output, input])).toEqual(
      wanted.map(({ gate, output, input }) => [gate, output, input]),
    );
    for (const { fault, shape } of failed) {
      expect(fault!.index).toBeLessThan(sizeOf(shape));
      expect(fault!.error).toBeGreaterThan(1e-6);
      if (damage.startsWith('one')) expect(fault!.index).toBe(Math.floor(sizeOf(shape) / 3));
    }
  });
});
