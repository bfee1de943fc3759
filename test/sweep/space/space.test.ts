import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Config, FIELDS } from '../../../src/config/config.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { parseSpace } from '../../../src/sweep/space/parse-space.ts';
import { configAt, dimensionsOf, inWords, pointOf, type Space, valuesAt } from '../../../src/sweep/space/space.ts';
import { anyPoint, anySpace } from './spaces.ts';

const valueIn = (text: string, coordinate: number) => Object.values(valuesAt(parseSpace([text]), [coordinate]))[0];
const LAST = 1 - 2 ** -32;

describe('the values at a point', () => {
  it.each([
    ['dropout=0..0.5', 0, 0],
    ['dropout=0..0.5', 0.25, 0.125],
    ['dropout=0.1..0.3', 1 / 3, 0.1667],
    ['lr=1e-4..1e-1:log', 0, 0.0001],
    ['lr=1e-4..1e-1:log', 0.5, 0.003162],
    ['lr=1e-4..1e-1:log', LAST, 0.1],
    ['lr=0.00012342..0.12346:log', 0, 0.00012342],
    ['lr=0.00012342..0.12346:log', LAST, 0.12346],
    ['lr=0.1..0.10001', 0.123, 0.10000123],
    ['hidden=32..35', 0.2499, 32],
    ['hidden=32..35', 0.25, 33],
    ['hidden=32..35', LAST, 35],
    ['receptiveField=4..12', 0.4, 8],
    ['optimizer=sgd,adamw,muon', 0.34, 'adamw'],
    ['flip', 0.1, true],
    ['seed=3,1,2', 0.9, 2],
  ])('%s at %f: %s', (text, coordinate, value) => {
    expect(valueIn(text, coordinate)).toBe(value);
  });

  it('give every integer of a logarithmic range the share of its logarithm', () => {
    const [space, n] = [parseSpace(['batchSize=1..8:log']), 20_000];
    const counts = new Map<unknown, number>();
    for (let i = 0; i < n; i++) {
      const { batchSize } = valuesAt(space, [(i + 0.5) / n]);
      counts.set(batchSize, (counts.get(batchSize) ?? 0) + 1);
    }
    for (let k = 1; k <= 8; k++) {
      expect(counts.get(k)! / n).toBeCloseTo(Math.log((k + 0.5) / (k - 0.5)) / Math.log(8.5 / 0.5), 3);
    }
  });

  it('are in range, of the type of the field, and short', () => {
    fc.assert(
      fc.property(anySpace, anyPoint, (space, point) => {
        const values = Object.entries(valuesAt(space, point.slice(0, space.length)));
        for (const [i, [key, value]] of values.entries()) {
          const parameter = space[i];
          expect(FIELDS[key as keyof Config].accepts(value)).toBe(true);
          if (parameter.kind === 'choice') expect(parameter.values).toContain(value);
          else {
            expect(value).toBeGreaterThanOrEqual(parameter.min);
            expect(value).toBeLessThanOrEqual(parameter.max);
          }
        }
      }),
    );
  });
});

describe('the point of a configuration', () => {
  it('is the one that stands for its values', () => {
    fc.assert(
      fc.property(anySpace, anyPoint, (space, point) => {
        const values = valuesAt(space, point.slice(0, space.length));
        const back = pointOf(space, { ...resolveConfig({}), ...values });
        expect(valuesAt(space, back)).toEqual(values);
        for (const coordinate of back) {
          expect(coordinate).toBeGreaterThanOrEqual(0);
          expect(coordinate).toBeLessThan(1);
        }
      }),
    );
  });

  it.each([
    ['lr=1e-4..1e-2:log', { lr: 0.001 }, 0.5],
    ['dropout=0.1..0.5', { dropout: 0.2 }, 0.25],
    ['shift=0..3', { shift: 1 }, 0.375],
    ['optimizer=sgd,adamw', { optimizer: 'adamw' }, 0.75],
    ['lr=1e-4..1e-2:log', { lr: 1e-6 }, 0],
    ['shift=0..3', { shift: 9 }, 0.875],
    ['batchSize=32,64,128,256', { batchSize: 130 }, 0.625],
    ['optimizer=adamw,muon', { optimizer: 'sgd' }, 0.25],
  ])('in %s, of %j: %f', (text, values, coordinate) => {
    const config = { ...resolveConfig({ model: 'mlp' }), ...values } as Config;
    expect(pointOf(parseSpace([text]), config)[0]).toBeCloseTo(coordinate, 12);
  });

  it('below the end of a range', () => {
    expect(pointOf(parseSpace(['lr=1e-4..1e-2:log']), { ...resolveConfig({}), lr: 5 })[0]).toBeLessThan(1);
  });
});

describe('the dimensions of a space', () => {
  it('have a level for each value of a list or of a range of integers', () => {
    const space = parseSpace([
      'lr',
      'hidden=8..64:log',
      'shift=0..4',
      'receptiveField=4..32',
      'batchSize=64,128,256',
      'warmup=0.2,0.1',
      'seed=1,2,3',
      'activation',
      'flip',
    ]);
    expect(dimensionsOf(space)).toEqual([
      { levels: Infinity, isOrdered: true },
      { levels: Infinity, isOrdered: true },
      { levels: 5, isOrdered: true },
      { levels: 8, isOrdered: true },
      { levels: 3, isOrdered: true },
      { levels: 2, isOrdered: false },
      { levels: 3, isOrdered: false },
      { levels: 6, isOrdered: false },
      { levels: 2, isOrdered: false },
    ]);
  });
});

describe('the configuration of a trial', () => {
  const space = parseSpace(['optimizer=sgd,adamw', 'momentum=0.8..0.9', 'lr']);

  it('has the values of its point', () => {
    expect(configAt({ epochs: 3 }, space, [0, 0.5, 0.5])).toEqual(
      resolveConfig({ epochs: 3, optimizer: 'sgd', momentum: 0.85, lr: 0.003162 }),
    );
  });

  it('has the defaults of fields that have no effect', () => {
    expect(configAt({ nesterov: false }, space, [0.75, 0.5, 0.5])).toEqual(
      resolveConfig({ optimizer: 'adamw', lr: 0.003162 }),
    );
  });

  it('is the default at the point of the default', () => {
    const defaults = resolveConfig({ epochs: 3 });
    expect(configAt({ epochs: 3 }, space, pointOf(space, defaults))).toEqual(defaults);
  });
});

it('a parameter is written as it is read', () => {
  fc.assert(
    fc.property(anySpace, (space: Space) => {
      expect(parseSpace(space.map((parameter) => `${parameter.field}=${inWords(parameter)}`))).toEqual(space);
    }),
  );
});
