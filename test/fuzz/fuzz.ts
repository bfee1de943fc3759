import { expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { mutate } from './mutate.ts';
import type { Reader } from './readers.ts';

const INPUTS = 2_000;
const MAX_MEMORY = 2 ** 30;
/** Texts of JavaScript, of Node and of libraries that say nothing to a user. */
const INTERNALS =
  /undefined|\[object|is not a function|not iterable|Cannot |Invalid |Offset is outside|(Type|Range|Syntax)Error|\b(E[A-Z]{4,}|ERR_\w+|[TZ]_\w+|TAR_\w+)\b|thrift/;

/** What is wrong with the answer of a reader to an input; undefined if it decodes it, or refuses it in our words. */
async function complaint(reader: Reader, input: Buffer, scratch: string): Promise<string | undefined> {
  try {
    await reader.read(input, scratch);
    return undefined;
  } catch (error) {
    if (error instanceof UserError && !INTERNALS.test(error.message.replaceAll(scratch, ''))) return undefined;
    return error instanceof UserError ? error.message : `${(error as Error).stack}`;
  }
}

/** Damages the input of every reader 2,000 times. Two files of tests share the readers, and so run side by side. */
export function fuzz(readers: readonly Reader[]): void {
  test.each(readers)(`$name: ${INPUTS} damaged inputs are decoded or refused in our words`, async (reader) => {
    const scratch = temporaryFolder();
    const inputs = await reader.inputs(scratch);
    for (const input of inputs) expect(input.length).toBeGreaterThan(0);
    for (let n = 0; n < INPUTS; n++) {
      const input = mutate(inputs[n % inputs.length], new Random(n, 'fuzz', reader.name));
      const wrong = await complaint(reader, input, scratch);
      if (wrong !== undefined) expect.fail(`input ${n}, ${JSON.stringify(input.toString('latin1', 0, 300))}: ${wrong}`);
    }
    expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(MAX_MEMORY);
  });
}
