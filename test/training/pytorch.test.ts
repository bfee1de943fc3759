import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isWeight } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { type Config, resolveConfig } from '../../src/config/config.ts';
import { buildModel } from '../../src/models/model.ts';
import { adamw } from '../../src/optim/adamw.ts';
import { sgd } from '../../src/optim/sgd.ts';

interface Fixture {
  readonly sizes: Record<'inputs' | 'classes' | 'hidden' | 'batch' | 'steps', number>;
  readonly images: number[][];
  readonly labels: number[];
  readonly start: Record<string, number[]>;
  readonly cases: (Partial<Config> & { losses: number[]; parameters: Record<string, number[]> })[];
}

/** Made by test/fixtures/pytorch-training.py. */
const FIXTURE: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/pytorch-training.json', import.meta.url), 'utf8'),
);
const { inputs, classes, hidden, batch, steps } = FIXTURE.sizes;

const title = '$model $activation $loss ε=$labelSmoothing, $optimizer μ=$momentum nesterov=$nesterov λ=$weightDecay';

describe.each(FIXTURE.cases)(`PyTorch: ${title}`, (expected) => {
  it('has the same losses and ends with the same parameters', async () => {
    const { losses, parameters, ...given } = expected;
    const config = resolveConfig({ hidden, ...given });
    const backend = new ReferenceBackend('float64');
    const model = buildModel(backend, config, batch, { inputs, classes });
    const optimizer = config.optimizer === 'sgd' ? sgd(config) : adamw(config);
    const learned = model.graph.parameters.map((wire) => {
      backend.write(wire.tensor, FIXTURE.start[wire.name]);
      return { wire, state: optimizer.state.map(() => backend.allocate(wire.shape)) };
    });

    for (let step = 0; step < steps; step++) {
      const rows = Array.from({ length: batch }, (_, i) => (step * batch + i) % FIXTURE.images.length);
      backend.write(
        model.images.tensor,
        rows.flatMap((row) => FIXTURE.images[row]),
      );
      backend.write(
        model.labels.tensor,
        rows.map((row) => FIXTURE.labels[row]),
      );
      model.graph.forward({ training: true, key: 0 });
      expect((await backend.read(model.loss.tensor))[0], `loss of step ${step}`).toBeCloseTo(losses[step], 12);
      const sinks = learned.map(({ wire, state }) => {
        const rule = optimizer.rule(step + 1, config.lr, isWeight(wire));
        return [wire, { kind: 'update', tensor: wire.tensor, rule, state }] as const;
      });
      model.graph.backward(model.loss, new Map(sinks));
    }
    for (const { wire } of learned) {
      expect(Array.from(await backend.read(wire.tensor)), wire.name).toEqual(
        parameters[wire.name].map((value) => expect.closeTo(value, 11)),
      );
    }
  });
});
