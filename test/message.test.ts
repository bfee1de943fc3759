import { expect, it } from 'vitest';
import { UsageError } from '../src/errors.ts';
import { field, message } from '../src/message.ts';

const TEXT = message`${field('earlyStop', 3)} needs ${2} of ${field('val')}; set ${field('model', 'mlp')}`;

it('names fields as in code by default, or as the caller renders them', () => {
  expect(String(TEXT)).toBe("earlyStop: 3 needs 2 of val; set model: 'mlp'");
  expect(JSON.stringify({ TEXT })).toBe(`{"TEXT":"earlyStop: 3 needs 2 of val; set model: 'mlp'"}`);
  expect(TEXT.render(({ field: name, value }) => `<${name}${value === undefined ? '' : `=${value}`}>`)).toBe(
    '<earlyStop=3> needs 2 of <val>; set <model=mlp>',
  );
});

it('keeps the fields of a message that is embedded in another', () => {
  const error = new UsageError(message`config.json: ${new UsageError(TEXT).text}`);
  expect(error.field).toBe('earlyStop');
  expect(error.message).toBe(`config.json: ${TEXT}`);
});
