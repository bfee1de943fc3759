import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSampler, startingAt } from '../../../src/sweep/samplers/create.ts';
import { METHODS, type Observation, type Sampler } from '../../../src/sweep/samplers/sampler.ts';
import { parseSpace } from '../../../src/sweep/space/parse-space.ts';
import { type Space, valuesAt } from '../../../src/sweep/space/space.ts';
import { anySpace } from '../space/spaces.ts';

/** Any results: some trials diverge. */
const anyScores = fc.array(
  fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY), fc.constant(0.1)),
  { minLength: 40, maxLength: 40 },
);

/** Proposals of the first trials when each result is known as late as `delay` trials later. */
function proposals(sampler: Sampler, trials: number, scores: readonly number[], delay = 0) {
  const history: Observation[] = [];
  for (let trial = 0; trial < Math.min(trials, sampler.size); trial++) {
    const seen = history.map((one, i) => (i < trial - delay ? one : { ...one, score: null }));
    history.push({ point: sampler.propose(trial, seen), score: scores[trial] });
  }
  return history.map(({ point }) => point);
}

function finite(space: Space): Space {
  return space.filter(({ kind }) => kind === 'choice');
}

describe.each(METHODS)('the method %s', (method) => {
  const create = (space: Space, seed: number) => createSampler(method, method === 'grid' ? finite(space) : space, seed);

  it('proposes points inside, and the same ones again', () => {
    fc.assert(
      fc.property(anySpace, fc.nat(), anyScores, (space, seed, scores) => {
        const points = proposals(create(space, seed), 30, scores);
        for (const x of points.flat()) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThan(1);
        }
        expect(proposals(create(space, seed), 30, scores)).toEqual(points);
      }),
      { numRuns: 20 },
    );
  });

  it('proposes the same points however many of the last results are still unknown, up to the lag', () => {
    fc.assert(
      fc.property(anySpace, fc.nat(), anyScores, fc.integer({ min: 1, max: 8 }), (space, seed, scores, delay) => {
        expect(proposals(create(space, seed), 30, scores, delay)).toEqual(proposals(create(space, seed), 30, scores));
      }),
      { numRuns: 20 },
    );
  });

  it('proposes other points with another seed, unless all are tried', () => {
    const space = parseSpace(['lr', 'momentum', 'optimizer=sgd,adamw', 'batchSize=64,128,256']);
    const scores = Array.from({ length: 30 }, (_, i) => (i * 7) % 11);
    const [a, b] = [1, 2].map((seed) => proposals(create(space, seed), 30, scores));
    if (method === 'grid') expect(a).toEqual(b);
    else for (const [i, point] of a.entries()) expect(point).not.toEqual(b[i]);
  });
});

describe('a grid', () => {
  it('has every combination once, the last parameter alternating fastest', () => {
    const space = parseSpace(['optimizer=sgd,adamw', 'shift=0..1', 'batchSize=64,128,256']);
    const sampler = createSampler('grid', space, 0);
    expect(sampler.size).toBe(12);
    const values = Array.from({ length: 12 }, (_, i) =>
      Object.values(valuesAt(space, sampler.propose(i, []))).join(' '),
    );
    expect(values).toEqual(
      ['sgd', 'adamw'].flatMap((a) => [0, 1].flatMap((b) => [64, 128, 256].map((c) => `${a} ${b} ${c}`))),
    );
  });

  it.each([
    [
      'lr=1e-4..1e-1:log',
      'lr has the range 0.0001..0.1:log, and a grid needs values; list some, such as 0.0001,0.001,0.01,0.1',
    ],
    ['dropout=0..0.6', 'dropout has the range 0..0.6, and a grid needs values; list some, such as 0,0.2,0.4,0.6'],
    [
      'hidden=64..512:log',
      'hidden has the range 64..512:log, and a grid needs values; list some, such as 64,128,256,512',
    ],
    ['hidden=100..400', 'hidden has the range 100..400, and a grid needs values; list some, such as 100,200,300,400'],
  ])('has no place for %s', (text, message) => {
    expect(() => createSampler('grid', parseSpace(['flip', text]), 0)).toThrow(
      expect.objectContaining({ name: 'UsageError', message }),
    );
  });
});

it('a sampler may start at a point of the caller', () => {
  const space = parseSpace(['lr', 'flip']);
  const sampler = createSampler('sobol', space, 0);
  const started = startingAt([0.25, 0.75], sampler);
  expect(started.propose(0, [])).toEqual([0.25, 0.75]);
  expect(started.propose(1, [])).toEqual(sampler.propose(1, []));
});
