import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import { EXAMPLE_RULES, type UpdateRule, update } from '../../../src/backends/update-rules.ts';
import type { Context } from './context.ts';

/** The rules with formulas of their own below. */
type PublishedRule = Extract<UpdateRule, { kind: 'sgd' | 'adamw' }>;

export function checkSinks({ backend, tensor, valuesOf, expectClose }: Context): void {
  describe('sinks', () => {
    it('deliver stores, adds and updates', async () => {
      const gradient = tensor([3], [1, -2, 4]);
      const target = tensor([3], [10, 20, 30]);
      backend.deliver(gradient, { kind: 'add', tensor: target });
      expect(Array.from(await backend.read(target))).toEqual([11, 18, 34]);
      backend.deliver(gradient, { kind: 'store', tensor: target });
      expect(Array.from(await backend.read(target))).toEqual([1, -2, 4]);
      expect(() => backend.deliver(gradient, { kind: 'add', tensor: backend.allocate([4]) })).toThrow(ShapeError);
    });

    const RULES: Record<string, PublishedRule> = {
      'plain SGD': { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0.02 },
      'SGD with momentum': { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 },
      'SGD with Nesterov momentum': {
        kind: 'sgd',
        learningRate: 0.1,
        momentum: 0.9,
        nesterov: true,
        weightDecay: 0.02,
      },
      AdamW: {
        kind: 'adamw',
        learningRate: 0.1,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        weightDecay: 0.02,
        correction1: 0.271,
        correction2: 0.029701,
      },
    };

    it.each(EXAMPLE_RULES)('$kind does what plain loops do', async (rule) => {
      const shape = [5, 7];
      const [w, g, state] = [valuesOf(shape, 'w'), valuesOf(shape, 'g'), [valuesOf(shape, 'm'), valuesOf(shape, 'v')]];
      const squares = state.map((values) => values.map((value) => value * value));
      const [parameter, gradient] = [tensor(shape, 'w'), tensor(shape, 'g')];
      const tensors = squares.map((values) => tensor(shape, values));
      backend.deliver(gradient, { kind: 'update', tensor: parameter, rule, state: tensors });

      const expected = [w, ...squares].map((values) => Float64Array.from(values));
      update(rule, expected[0], Float64Array.from(g), expected.slice(1));
      await expectClose(parameter, expected[0]);
      for (const [i, state] of tensors.entries()) await expectClose(state, expected[i + 1]);
    });

    it.each(Object.keys(RULES))(
      '%s follows its formula, with the same bits from a product as from a stored gradient',
      async (name) => {
        const rule = RULES[name];
        const [M, K, N] = [7, 11, 13];
        const [w, g] = [valuesOf([M, N], 'w'), backend.allocate([M, N])];
        const states = rule.kind === 'adamw' ? ['m', 'v'] : rule.momentum > 0 ? ['v'] : [];
        const positive = (seed: string) => valuesOf([M, N], seed).map((value) => value * value);
        const make = () => ({
          kind: 'update' as const,
          tensor: tensor([M, N], 'w'),
          rule,
          state: states.map((seed) => tensor([M, N], positive(seed))),
        });
        const [fused, delivered] = [make(), make()];
        const factors = [tensor([M, K], 'a'), tensor([K, N], 'b')] as const;
        backend.matmul(...factors, { kind: 'store', tensor: g });
        backend.deliver(g, delivered);
        backend.matmul(...factors, fused);

        const gradient = await backend.read(g);
        const before = states.map(positive);
        const expected = Array.from(w, (value, i) =>
          expectedUpdate(
            rule,
            value,
            gradient[i],
            before.map((s) => s[i]),
          ),
        );
        await expectClose(
          fused.tensor,
          expected.map(({ value }) => value),
        );
        for (const [slot, state] of fused.state.entries()) {
          await expectClose(
            state,
            expected.map(({ state }) => state[slot]),
          );
          expect(await backend.read(state)).toEqual(await backend.read(delivered.state[slot]));
        }
        expect(await backend.read(fused.tensor)).toEqual(await backend.read(delivered.tensor));
      },
    );
  });
}

/** The formulas of torch.optim.SGD and torch.optim.AdamW for a single number. */
function expectedUpdate(
  rule: PublishedRule,
  w: number,
  g: number,
  state: number[],
): { value: number; state: number[] } {
  if (rule.kind === 'adamw') {
    const m = rule.beta1 * state[0] + (1 - rule.beta1) * g;
    const v = rule.beta2 * state[1] + (1 - rule.beta2) * g ** 2;
    const decayed = w * (1 - rule.learningRate * rule.weightDecay);
    const step = m / rule.correction1 / (Math.sqrt(v / rule.correction2) + rule.epsilon);
    return { value: decayed - rule.learningRate * step, state: [m, v] };
  }
  const d = g + rule.weightDecay * w;
  if (rule.momentum === 0) return { value: w - rule.learningRate * d, state: [] };
  const v = rule.momentum * state[0] + d;
  return { value: w - rule.learningRate * (rule.nesterov ? d + rule.momentum * v : v), state: [v] };
}
