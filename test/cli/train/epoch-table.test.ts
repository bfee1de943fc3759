import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EpochTable } from '../../../src/cli/train/epoch-table.ts';
import { QUICK } from '../../support/cli.ts';
import { runMain } from '../../support/in-process.ts';

const METRICS = {
  epoch: 3,
  train: { loss: 1.75, accuracy: 0.4 },
  validation: { loss: 1.8, accuracy: 0.375 },
  learningRate: 0.01,
  imagesPerSecond: 12345,
  seconds: 2.5,
};

describe('the table of epochs', () => {
  const tableOf = (width?: number) => {
    const table = new EpochTable(width);
    return [table.header, table.row(METRICS as never, 10)];
  };

  it('is complete without a terminal and in 80 columns', () => {
    const all = [
      '  epoch  train loss       acc  val loss       acc        lr  images/s  seconds',
      '   3/10      1.7500   40.00 %    1.8000   37.50 %    0.0100    12,345     2.50',
    ];
    expect(tableOf()).toEqual(all);
    expect(tableOf(80)).toEqual(all);
    expect(tableOf(200)).toEqual(all);
  });

  it('has fewer columns in a narrow terminal, the most telling ones', () => {
    expect(tableOf(60)).toEqual([
      '  epoch  train loss       acc  val loss       acc  seconds',
      '   3/10      1.7500   40.00 %    1.8000   37.50 %     2.50',
    ]);
    expect(tableOf(40)).toEqual(['  epoch  train loss       acc   val acc', '   3/10      1.7500   40.00 %   37.50 %']);
    expect(tableOf(30)).toEqual(['  epoch  train loss   val acc', '   3/10      1.7500   37.50 %']);
    expect(tableOf(10)[0]).toBe('  epoch');
  });
});

it('a run fits a terminal of 40 columns', async () => {
  const args = [...QUICK, '--model', 'mlp', '--hidden', '16', '--epochs', '2', '--no-save', '--no-progress'];
  const { code, stdout } = await runMain(args, {}, 40);
  expect(code).toBe(0);
  const lines = stripVTControlCharacters(stdout).split('\n');
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
  expect(lines).toContain('  epoch  train loss       acc   val acc');
});
