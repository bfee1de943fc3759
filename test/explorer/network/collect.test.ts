import { describe, expect, it } from 'vitest';
import type { NetworkData } from '../../../src/explorer/network/network-data.ts';
import { bytesOf, decodePixels } from '../../../src/explorer/network/pixel-map.ts';
import { placeInImage } from '../../../src/images.ts';
import { placedFilter } from '../../../src/models/dense.ts';
import { DENSE, LINEAR, LOCAL, networkOf } from '../../support/network.ts';

const wireOf = ({ wires }: NetworkData, name: string) => wires.find((wire) => wire.name === name)!;

/** Expects equal numbers, but for the rounding to 16 bits and of float32. */
function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  const largest = Math.max(...Array.from(wanted, Math.abs));
  const errors = Array.from(wanted, (value, i) => Math.abs(got[i] - value));
  expect(got.length).toBe(wanted.length);
  expect(Math.max(...errors)).toBeLessThan(1e-4 * largest);
}

describe('of a linear classifier', async () => {
  const { data, model } = await networkOf(LINEAR);
  const { backend, parameters } = model.graph;
  const weight = await backend.read(parameters[0].tensor);
  const rowOf = (label: number) => weight.subarray(label * 3072, (label + 1) * 3072);

  it('the gradient of a score by the pixels is the template of its class, whatever the image', () => {
    for (const { scoreGradients } of data.examples) {
      for (const [label, map] of scoreGradients.entries()) expectClose(decodePixels(map), rowOf(label));
    }
  });

  it('the loss and its gradient follow from the scores: Σ (p − y) template', () => {
    const example = data.examples[3];
    const total = example.scores.reduce((sum, score) => sum + Math.exp(score), 0);
    const p = example.scores.map((score) => Math.exp(score) / total);
    expect(example.loss).toBeCloseTo(-Math.log(p[example.label]), 12);
    const wanted = new Float64Array(3072);
    for (const [label, share] of p.entries()) {
      const factor = share - Number(label === example.label);
      for (const [i, w] of rowOf(label).entries()) wanted[i] += factor * w;
    }
    expectClose(decodePixels(example.lossGradient), wanted);
  });

  it('an image is that of the batch, and its scores are W x + b', async () => {
    const images = await backend.read(model.images.tensor);
    for (const { pixels, label, scores } of data.examples) {
      const x = Float64Array.from(bytesOf(pixels), (byte) => (byte - 128) / 64);
      expect(scores[label]).toBeCloseTo(
        x.reduce((sum, value, i) => sum + value * rowOf(label)[i], 0),
        6,
      );
      const first = Array.from(x.subarray(0, 8)).join();
      expect(Array.from({ length: 40 }, (_, b) => images.subarray(b * 3072, b * 3072 + 8).join())).toContain(first);
    }
  });

  it('first come images that the network gets right, then others, each class at most once', () => {
    const kinds = data.examples.map(({ label, scores }) => ({
      label,
      isRight: scores.indexOf(Math.max(...scores)) === label,
    }));
    const ranks = kinds.map(({ label, isRight }) => label + (isRight ? 0 : 10));
    expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
    expect(new Set(kinds.map(({ label }) => label)).size).toBe(10);
  });

  it('the filters are the ten templates and their gradients', async () => {
    const { filters } = wireOf(data, 'linear.weight');
    expect(filters).toMatchObject({ kind: 'templates', total: 10 });
    expectClose(decodePixels(filters!.shown[7].weights), rowOf(7));
    expect(data.wires.every(({ units }) => units === undefined)).toBe(true);
  });
});

describe('of a network with receptive fields', async () => {
  const dead = [1, 50, 191];
  const { data, model } = await networkOf(LOCAL, {
    change: async ({ graph: { backend, parameters } }) => {
      const { tensor } = parameters.find(({ name }) => name === 'fc1.bias')!;
      const bias = await backend.read(tensor);
      for (const unit of dead) bias[unit] = -1e6;
      backend.write(tensor, bias);
    },
  });

  it('names the dead units and counts the others by their activity', async () => {
    const { units } = wireOf(data, 'hidden');
    const F = 16 * LOCAL.hidden;
    const values = await model.graph.backend.read(model.hidden!.tensor);
    const isActive = (unit: number) => values.some((value, i) => i % (4 * F) === unit && value !== 0);
    const all = Array.from({ length: 4 * F }, (_, unit) => unit).filter((unit) => !isActive(unit));
    expect(all).toEqual(expect.arrayContaining(dead));
    expect(units).toMatchObject({ count: 4 * F, deadCount: all.length });
    expect(units!.dead).toEqual(all.slice(0, 60).map((unit) => ({ unit, filter: unit % F })));
    expect(units!.counts.reduce((sum, count) => sum + count)).toBe(4 * F);
  });

  it('shows filters at their place', async () => {
    const weight = model.graph.parameters.find(({ name }) => name === 'fc1.weight')!;
    const values = await model.graph.backend.read(weight.tensor);
    const { shown, total } = wireOf(data, 'fc1.weight').filters!;
    expect([shown.length, total]).toEqual([48, 48]);
    for (const { row, weights } of shown.slice(0, 5)) {
      expectClose(placeInImage(decodePixels(weights), weights.size, weights), placedFilter(LOCAL, values, row));
    }
  });

  it('has the numbers of every wire', () => {
    expect(wireOf(data, 'labels')).toMatchObject({ value: null, gradient: null });
    expect(wireOf(data, 'images').gradient).toBeNull();
    const { value, gradient, meanValue } = wireOf(data, 'hidden');
    expect(value!.min).toBe(0);
    expect(value!.mean).toBeCloseTo(meanValue!, 6);
    expect(gradient!.zeroShare).toBeLessThan(1);
  });
});

it('the drawing runs down in a straight line, and is narrow enough for a phone', async () => {
  for (const config of [LINEAR, DENSE, LOCAL]) {
    const { nodes, wires, width, height } = (await networkOf(config, { images: 2 })).data.layout;
    expect(width).toBeLessThan(480);
    expect(height).toBeGreaterThan(width);
    const main = nodes.filter(({ node }) => node.id === 'images' || node.kind !== 'leaf');
    for (const { node, box } of main) expect(Math.abs(box.x - main[0].box.x), node.id).toBeLessThan(2);
    expect(wires.map(({ wire }) => wire.key)).toContain('logits');
  }
});
