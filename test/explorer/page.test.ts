import { runInThisContext } from 'node:vm';
import fc from 'fast-check';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { compile } from '../../src/explain/expression/compile.ts';
import { parseFormula } from '../../src/explain/expression/language.ts';
import { namesOf } from '../../src/explain/expression/names.ts';
import { type Nested, valuesOf } from '../../src/explain/expression/values.ts';
import { explainGraph } from '../../src/explain/graph-explanation.ts';
import { jsonOf } from '../../src/explain/json.ts';
import { explorerHtml } from '../../src/explorer/html.ts';
import { EXAMPLES } from '../../src/lecture/examples.ts';
import { Random } from '../../src/random.ts';
import { type ShapeName, term, VARIABLES } from '../explain/expression/random-terms.ts';
import { describePages, expectAccessible, NEXT_FRAME } from '../support/browser.ts';
import { runMain } from '../support/in-process.ts';

type Output = ReturnType<typeof jsonOf>['outputs'][number];

const htmlOf = (what: string, values: Record<string, Nested> = {}) =>
  explorerHtml({ generator: 'nn-train', what, values }, what);

const SHOW_NUMBERS = "document.querySelector('#numbers').open = true";

/** The cells of the tables of numbers, one for the gates and one for the leaves. */
const READ_TABLES = `[...document.querySelectorAll('#numbers table')].map((table) =>
  [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)))`;

/** Opens an address in the page, and waits until it is drawn. */
async function goTo(page: Page, what: string, values: Readonly<Record<string, Nested>>): Promise<void> {
  const parts = Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  await page.evaluate(`location.hash = ${JSON.stringify([encodeURIComponent(what), ...parts].join('&'))}`);
  await page.evaluate(NEXT_FRAME);
}

/** What the tables have to show of the program's JSON when all gates are done. */
function tablesOf({ gates, leaves }: Output): string[][][] {
  return [
    gates.flatMap((gate) =>
      gate.inputs.map((input, i) => [
        ...(i === 0
          ? [gate.output, gate.gate, JSON.stringify(gate.value), JSON.stringify(gate.upstream)]
          : ['', '', '', '']),
        input.wire,
        'formula' in input ? input.formula! : JSON.stringify(input.local),
        JSON.stringify(input.gradient),
      ]),
    ),
    leaves.map(({ name, value, gradient }) => [name, JSON.stringify(value), JSON.stringify(gradient)]),
  ];
}

/** Math functions whose last digit is up to the JavaScript engine, and a sample of their values. */
const SAMPLE = `['exp', 'log', 'tanh'].map((name) => Array.from({ length: 2000 }, (_, i) => Math[name]((i + 1) / 512)))`;

/** Whether all digits must be those of Node: always if the browser's engine computes the same, otherwise if the graph needs
 *  nothing but arithmetic that is rounded exactly. */
async function isExact(page: Page, what: string): Promise<boolean> {
  const example = EXAMPLES.find(({ name }) => name === what);
  const isRandom = example !== undefined && ('build' in example || what === 'elementwise-max');
  const formula = example && 'formula' in example ? example.formula : what;
  if (!isRandom && !/exp|log|tanh|sigmoid/.test(formula)) return true;
  isSameEngine ??= JSON.stringify(await page.evaluate(SAMPLE)) === JSON.stringify(runInThisContext(SAMPLE));
  return isSameEngine;
}

let isSameEngine: boolean | undefined;

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]\d+)?/g;

/** Expects the same texts, and numbers that differ by rounding at most. */
function expectClose(got: unknown, wanted: unknown, what: string): void {
  const [text, wantedText] = [got, wanted].map((tables) => JSON.stringify(tables));
  expect(text.replace(NUMBER, '#'), what).toBe(wantedText.replace(NUMBER, '#'));
  const [numbers, wantedNumbers] = [text, wantedText].map((one) => (one.match(NUMBER) ?? []).map(Number));
  const worst = numbers.map((number, i) => Math.abs(number - wantedNumbers[i]) / (1 + Math.abs(wantedNumbers[i])));
  expect(Math.max(0, ...worst), what).toBeLessThan(1e-9);
}

async function expectTables(page: Page, wanted: string[][][], what: string, message = what): Promise<void> {
  const tables = ((await page.evaluate(READ_TABLES)) as string[][][]).slice(0, 2);
  if (await isExact(page, what)) expect(tables, message).toEqual(wanted);
  else expectClose(tables, wanted, message);
}

async function expectNumbers(page: Page, outputs: readonly Output[], what: string): Promise<void> {
  for (const [i, output] of outputs.entries()) {
    if (outputs.length > 1) await page.locator('.outputs button').nth(i).click();
    await expectTables(page, tablesOf(output), what);
  }
}

/** A value of a variable that keeps all expressions finite, as far as a number can. */
const randomNumber = (random: Random) => Math.round((0.2 + 2 * random.uniform()) * 2 ** 20) / 2 ** 20;

function randomValue(shape: ShapeName, random: Random): Nested {
  if (shape === 'scalar') return randomNumber(random);
  const [rows, columns] = shape.split('x').map(Number);
  const numbers = (count: number) => Array.from({ length: count }, () => randomNumber(random));
  return columns === undefined ? numbers(rows) : Array.from({ length: rows }, () => numbers(columns));
}

const SHAPE_OF = new Map(
  Object.entries(VARIABLES).flatMap(([shape, names]) => names.map((name) => [name, shape as ShapeName])),
);

async function explained(text: string, values: Readonly<Record<string, Nested>>): Promise<Output[]> {
  const given = new Map(Object.entries(values).map(([name, value]) => [name, valuesOf(value, name)]));
  return jsonOf(await explainGraph(await compile(parseFormula(text), given))).outputs;
}

/** Types numbers into fields of leaves, one after the other. */
async function type(page: Page, ...edits: readonly (readonly [field: number, value: number])[]): Promise<void> {
  await page.evaluate(`for (const [at, value] of ${JSON.stringify(edits)}) {
    const field = document.querySelectorAll('[data-leaf]')[at];
    field.value = String(value);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }`);
  await page.evaluate(NEXT_FRAME);
}

/** Makes 20 random edits in the page and in the given values. */
async function editAll(page: Page, values: Record<string, Nested>, random: Random): Promise<void> {
  const cells = Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'number' ? [(to: number) => void (values[name] = to)] : cellsOf(value as Nested[]),
  );
  const edits = Array.from({ length: 20 }, () => [random.integer(cells.length), randomNumber(random)] as const);
  for (const [field, value] of edits) cells[field](value);
  await type(page, ...edits);
}

describePages('a page to explore a graph', (pages) => {
  it('has the numbers of --json for every example of the lecture, bit for bit', async () => {
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.evaluate(SHOW_NUMBERS);
    for (const { name } of EXAMPLES) {
      const { stdout } = await runMain(['explain', '--json', name]);
      await goTo(page, name, {});
      await expectNumbers(page, JSON.parse(stdout).outputs, name);
    }
    expect(errors).toEqual([]);
  });

  it('follows 20 random edits of the examples', async () => {
    const random = new Random(1, 'edits');
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.evaluate(SHOW_NUMBERS);
    for (const example of EXAMPLES) {
      if ('build' in example || example.name === 'elementwise-max') continue;
      await goTo(page, example.name, {});
      const { variables } = namesOf(parseFormula(example.formula));
      const now = Object.fromEntries(variables.map((name) => [name, structuredClone(example.values[name])]));
      await editAll(page, now, random);
      const words = variables.map((name) => `${name}=${JSON.stringify(now[name])}`);
      const { stdout } = await runMain(['explain', '--json', example.name, ...words]);
      await expectNumbers(page, JSON.parse(stdout).outputs, example.name);
    }
    expect(errors).toEqual([]);
  });

  it('has the numbers of 200 random expressions, before and after 20 random edits', { timeout: 0 }, async () => {
    const random = new Random(2, 'expressions');
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.evaluate(SHOW_NUMBERS);
    const terms = fc.sample(fc.oneof(term('scalar', 3), term('2', 2), term('2x3', 2)), { numRuns: 400, seed: 7 });
    let count = 0;
    for (const { text } of terms) {
      if (count === 200) break;
      const { variables } = namesOf(parseFormula(text));
      const values = Object.fromEntries(variables.map((name) => [name, randomValue(SHAPE_OF.get(name)!, random)]));
      const outputs = await explained(text, values).catch(() => undefined);
      if (!outputs) continue;
      count++;
      await goTo(page, text, values);
      await expectNumbers(page, outputs, text);
      await editAll(page, values, random);
      const edited = await explained(text, values).catch((error: Error) => error.message);
      // Where a gate does not take the values, the page says the same as the command.
      if (typeof edited !== 'string') await expectNumbers(page, edited, text);
      else expect(await page.locator('#problem').innerText()).toContain(edited.split('\n')[0]);
    }
    expect(count).toBe(200);
    expect(errors).toEqual([]);
  });

  it.each(EXAMPLES.map(({ name }) => name))('steps through %s without a number of another step', async (name) => {
    const { page } = await pages.open(htmlOf(name));
    await page.evaluate(SHOW_NUMBERS);
    const { outputs } = JSON.parse((await runMain(['explain', '--json', name])).stdout) as { outputs: Output[] };
    for (const [i, output] of outputs.entries()) {
      if (outputs.length > 1) await page.locator('.outputs button').nth(i).click();
      await page.locator('#drawing .label').first().waitFor({ state: 'attached' });
      const last = 2 * output.gates.length + 2;
      const steps = Array.from({ length: last + 1 }, (_, step) => step);
      for (const step of [...steps, ...steps.toReversed()]) {
        await page.evaluate(`{
          const slider = document.querySelector('#stepper input');
          slider.value = ${step};
          slider.dispatchEvent(new Event('input'));
        }`);
        await expectTables(page, tablesAt(output, step), name, `step ${step}`);
        await expectDrawing(page, output, step);
      }
    }
  });

  it('shows upstream × local = product of the gate at work, and the sum where a value branches', async () => {
    const { page } = await pages.open(htmlOf('f = x*y + x*z', { x: 3, y: -4, z: 2 }));
    await page.keyboard.press('ArrowLeft');
    const gate = page.locator('#gate');
    const inputs = await gate.locator('.input').allInnerTexts();
    expect(inputs.map((text) => text.replace(/\s+/g, ' '))).toEqual([
      'x 1 upstream ∂f/∂#1 × -4 local ∂#1/∂x = y = -4 product, to x ' +
        'x branches, so its gradients are added up: (-4) through #1 + 2 through #2 = -2',
      'y 1 upstream ∂f/∂#1 × 3 local ∂#1/∂y = x = 3 product, to y',
    ]);
    expect(await page.locator('.gate.active').textContent()).toBe('*');
    await page.keyboard.press('ArrowLeft');
    expect((await gate.innerText()).replace(/\s+/g, ' ')).toContain('2 through #2 + … (another gate is still to come)');
  });

  it('predicts how the output moves', async () => {
    const { page } = await pages.open(htmlOf('norm2'));
    await page.locator('#what-if-leaf').selectOption({ label: 'W[1][0]' });
    await page.locator('#what-if-h').fill('0.01');
    await page.evaluate(NEXT_FRAME);
    // q = [0.22, 0.26], x = [0.2, 0.4]: ∂f/∂W = 2 q xᵀ, and q₁ moves by 0.002.
    const [moved, predicted] = await page.locator('#what-if-result dd').allInnerTexts();
    expect(Number(moved)).toBeCloseTo(0.262 ** 2 - 0.26 ** 2, 6);
    expect(Number(predicted)).toBeCloseTo(0.01 * 2 * 0.26 * 0.2, 6);
  });

  it('opens what its address says, keeps it up to date, and marks errors at their place', async () => {
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.locator('#expression').fill('a = x*y; exp(a');
    await page.keyboard.press('Enter');
    expect(await page.locator('#expression-problem').innerText()).toContain('at column 15: expected');
    await page.locator('#expression').fill('a = x*y; tanh(a)');
    await page.locator('#values').fill('x = 2, y = [0.5, 1]');
    await page.keyboard.press('Enter');
    await page.locator('#drawing [data-key]').first().waitFor();
    await type(page, [0, 3]);
    const address = (await page.evaluate('location.href')) as string;
    expect(decodeURIComponent(address)).toMatch(/#a = x\*y; tanh\(a\)&x=3&y=\[0.5,1\]$/);
    await page.goto('about:blank');
    await page.goto(address);
    expect(await page.locator('h1').innerText()).toBe('a = x*y; tanh(a)');
    expect(await page.locator('[data-leaf=x]').inputValue()).toBe('3');
    expect(errors).toEqual([]);
  });

  it('says what values a gate does not take, and recovers', async () => {
    const { page } = await pages.open(htmlOf('log(x)', { x: 1 }));
    const field = page.locator('[data-leaf=x]');
    await field.fill('-1');
    await page.evaluate(NEXT_FRAME);
    expect(await page.locator('#problem').innerText()).toContain('the gate log gives NaN for x = -1');
    await field.fill('2');
    await page.evaluate(NEXT_FRAME);
    expect(await page.locator('#problem').innerText()).toBe('');
    await field.press('ArrowUp');
    expect(await field.inputValue()).toBe('3');
  });

  it.each(['product', 'sigmoid', 'branch', 'matrix', 'two-layer', 'linear'])(
    'is accessible, fits its window and makes no requests: %s',
    async (name) => {
      const { page, errors, requests, url } = await pages.open(htmlOf(name));
      await page.locator('#drawing [data-key]').first().waitFor();
      await expectAccessible(page);
      await page.locator('#stepper button').first().press('Enter');
      await page.locator('#stepper button').nth(2).press('Enter');
      await expectAccessible(page);
      expect(await page.locator('#step').innerText()).toMatch(/^Step 1 of \d+: forward through/);
      expect(errors).toEqual([]);
      expect(requests).toEqual([url]);
      expect(htmlOf(name).length).toBeLessThan(5e6);
    },
  );

  it('renders hostile expressions as text', async () => {
    const hostile = '</script><img src=x onerror="document.body.dataset.hacked=1">';
    const { page, errors } = await pages.open(htmlOf(hostile));
    expect(await page.locator('#expression-problem').innerText()).toContain('expected');
    expect(await page.evaluate('document.body.dataset.hacked')).toBeUndefined();
    expect(errors).toEqual([]);
  });
});

/** Setters of all elements of nested arrays, row by row. */
function cellsOf(nested: Nested[]): ((value: number) => void)[] {
  return nested.flatMap((item, i) =>
    typeof item === 'number' ? [(value: number) => void (nested[i] = value)] : cellsOf(item as Nested[]),
  );
}

/** What is known at a step, by the order of the passes: the leaves, the gates forward, the upstream gradient, the gates
 *  backward, everything. */
function progress({ gates }: Output, step: number) {
  const n = gates.length;
  const backwardOf = (gate: number) => n + 1 + (n - gate);
  const isForward = (gate: number) => step >= gate + 1;
  const isBackward = (gate: number) => step >= backwardOf(gate);
  /** A gradient is complete once all gates that use the wire have passed theirs back. */
  const isComplete = (wire: string) =>
    step > n && gates.every(({ inputs }, i) => !inputs.some((input) => input.wire === wire) || isBackward(i));
  return { isForward, isBackward, isComplete };
}

function tablesAt(output: Output, step: number): string[][][] {
  const { isForward, isBackward, isComplete } = progress(output, step);
  const [gateRows, leafRows] = tablesOf(output);
  const owners = output.gates.flatMap((gate, i) => gate.inputs.map((input) => ({ i, name: gate.output, input })));
  const hide = (text: string, isKnown: boolean) => (isKnown || text === '' ? text : '…');
  return [
    gateRows.map((row, k) => {
      const { i, name, input } = owners[k];
      return [
        row[0],
        row[1],
        hide(row[2], isForward(i)),
        hide(row[3], isComplete(name)),
        row[4],
        'formula' in input ? row[5] : hide(row[5], isBackward(i)),
        hide(row[6], isBackward(i)),
      ];
    }),
    leafRows.map(([name, value, gradient]) => [name, value, hide(gradient, isComplete(name))]),
  ];
}

/** Expects as many values and gradients in the drawing as are known, and one gate at work. */
async function expectDrawing(page: Page, output: Output, step: number): Promise<void> {
  const { isForward, isBackward, isComplete } = progress(output, step);
  const n = output.gates.length;
  const names = [...output.leaves.map(({ name }) => name), ...output.gates.map((gate) => gate.output)];
  const usesOf = (wire: string) =>
    output.gates.flatMap(({ inputs }, i) =>
      inputs.filter((input) => input.wire === wire).map((input) => ({ i, input })),
    );
  const hasGradient = (wire: string) => usesOf(wire).some(({ input }) => input.gradient !== null);
  const values = names.filter((_, k) => k < output.leaves.length || isForward(k - output.leaves.length));
  const branched = names.filter((name) => usesOf(name).length > 1);
  const gradients =
    branched.filter((name) => hasGradient(name) && isComplete(name)).length +
    output.gates.flatMap(({ inputs }, i) => inputs.filter(({ gradient }) => gradient !== null && isBackward(i)))
      .length +
    (step > n ? 1 : 0);
  const count = (kind: string) =>
    page.evaluate(
      `[...document.querySelectorAll('#drawing .label')].filter((label) => label.querySelector('.${kind}')).length`,
    );
  expect([await count('value'), await count('gradient')], `step ${step}`).toEqual([values.length, gradients]);
  const active = await page.evaluate("document.querySelectorAll('.gate.active').length");
  expect(active, `step ${step}`).toBe((step > 0 && step <= n) || (step > n + 1 && step < 2 * n + 2) ? 1 : 0);
}
