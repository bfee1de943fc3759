import fc from 'fast-check';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { sizeOf } from '../../src/backends/backend.ts';
import { compile } from '../../src/explain/expression/compile.ts';
import { parseFormula } from '../../src/explain/expression/language.ts';
import { namesOf } from '../../src/explain/expression/names.ts';
import { nested, type Values } from '../../src/explain/expression/values.ts';
import { explainGraph } from '../../src/explain/graph-explanation.ts';
import { jsonOf } from '../../src/explain/json.ts';
import { ask, type ValuesByName } from '../../src/explorer/question.ts';
import { EXAMPLES } from '../../src/lecture/examples.ts';
import { Random } from '../../src/random.ts';
import { type ShapeName, term, VARIABLES } from '../explain/expression/random-terms.ts';
import { describePages } from '../support/browser.ts';
import {
  expectTables,
  goTo,
  htmlOf,
  type Output,
  outputsOf,
  SHOW_NUMBERS,
  type Shown,
  tablesOf,
  type,
} from '../support/explorer.ts';

/** A value of a variable that keeps all expressions finite, as far as a number can. */
const randomNumber = (random: Random) => Math.round((0.2 + 2 * random.uniform()) * 2 ** 20) / 2 ** 20;

function randomValue(shape: ShapeName, random: Random): Values {
  const lengths = shape === 'scalar' ? [] : shape.split('x').map(Number);
  return { shape: lengths, values: Array.from({ length: sizeOf(lengths) }, () => randomNumber(random)) };
}

const SHAPE_OF = new Map(
  Object.entries(VARIABLES).flatMap(([shape, names]) => names.map((name) => [name, shape as ShapeName])),
);

async function explained(text: string, values: ValuesByName): Promise<Output[]> {
  return jsonOf(await explainGraph(await compile(parseFormula(text), values))).outputs;
}

const nestedValues = (values: ValuesByName) =>
  Object.fromEntries(Array.from(values, ([name, value]) => [name, nested(value)]));

/** Makes 20 random edits in the page. @returns what it shows, and the values by then. */
async function editAll(page: Page, start: ValuesByName, random: Random) {
  const values = new Map(Array.from(start, ([name, value]) => [name, { ...value, values: Array.from(value.values) }]));
  const names = [...values].flatMap(([name, { values }]) => values.map((_, element) => [name, element] as const));
  const edits = Array.from(
    { length: 20 },
    () => [...names[random.integer(names.length)], randomNumber(random)] as const,
  );
  for (const [name, element, value] of edits) values.get(name)!.values[element] = value;
  return { shown: await type(page, ...edits), values };
}

const expectOutputs = (page: Page, what: string, { tables }: Shown, outputs: readonly Output[]) =>
  expectTables(page, what, tables, outputs.map(tablesOf));

describePages('the numbers of a page to explore', (pages) => {
  it('are those of --json for every example of the lecture, before and after 20 random edits', async () => {
    const random = new Random(1, 'edits');
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.evaluate(SHOW_NUMBERS);
    for (const example of EXAMPLES) {
      const { name } = example;
      await expectOutputs(page, name, await goTo(page, name), await outputsOf(name));
      const question = await ask(name, new Map());
      const { shown, values } = await editAll(page, question.values, random);
      const words = Object.entries(nestedValues(values)).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      // The command takes no values for graphs that are no expressions.
      const outputs =
        'build' in example ? jsonOf(await question.explain(values)).outputs : await outputsOf(name, ...words);
      await expectOutputs(page, name, shown, outputs);
    }
    expect(errors).toEqual([]);
  });

  it('are those of 200 random expressions, before and after 20 random edits', async () => {
    const random = new Random(2, 'expressions');
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.evaluate(SHOW_NUMBERS);
    const terms = fc.sample(fc.oneof(term('scalar', 3), term('2', 2), term('2x3', 2)), { numRuns: 400, seed: 7 });
    let count = 0;
    for (const { text } of terms) {
      if (count === 200) break;
      const { variables } = namesOf(parseFormula(text));
      const start = new Map(variables.map((name) => [name, randomValue(SHAPE_OF.get(name)!, random)]));
      const outputs = await explained(text, start).catch(() => undefined);
      if (!outputs) continue;
      count++;
      await expectOutputs(page, text, await goTo(page, text, nestedValues(start)), outputs);
      const { shown, values } = await editAll(page, start, random);
      const edited = await explained(text, values).catch((error: Error) => error.message);
      // Where a gate does not take the values, the page says the same as the command.
      if (typeof edited !== 'string') await expectOutputs(page, text, shown, edited);
      else expect(shown.problem).toContain(edited.split('\n')[0]);
    }
    expect(count).toBe(200);
    expect(errors).toEqual([]);
  });
});
