import { runInThisContext } from 'node:vm';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Nested } from '../../src/explain/expression/values.ts';
import type { jsonOf } from '../../src/explain/json.ts';
import { explorerHtml } from '../../src/explorer/html.ts';
import { EXAMPLES } from '../../src/lecture/examples.ts';
import { runMain } from './in-process.ts';

/** An output in the program's JSON. */
export type Output = ReturnType<typeof jsonOf>['outputs'][number];

/** The cells of the tables of numbers, those of the gates and those of the inputs. */
export type Tables = string[][][];

export const htmlOf = (what: string, values: Record<string, Nested> = {}): string =>
  explorerHtml({ generator: 'nn-train', what, values }, what);

export const lectureHtml = (): string =>
  explorerHtml({ generator: 'nn-train', what: 'product', values: {}, isLecture: true }, 'Backpropagation');

export async function outputsOf(name: string, ...words: readonly string[]): Promise<Output[]> {
  const { stdout } = await runMain(['explain', '--json', name, ...words]);
  return JSON.parse(stdout).outputs;
}

/** Expressions for a page, which read and change it. All computations of the page end before its next task. */
const NEXT_TASK = 'new Promise((resolve) => setTimeout(resolve))';

export const READ_TABLES = `(() => [...document.querySelectorAll('#numbers table')].slice(0, 2).map((table) =>
  [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))))()`;

/** The tables of all outputs. */
const READ_OUTPUTS = `(() => {
  const count = Math.max(1, document.querySelectorAll('.outputs button').length);
  return Array.from({ length: count }, (_, i) => {
    if (count > 1) document.querySelectorAll('.outputs button')[i].click();
    return ${READ_TABLES};
  });
})()`;

/** Opens the tables of all numbers. */
export const SHOW_NUMBERS = "document.querySelector('#numbers').open = true";

/** What the page shows after it has changed. */
export interface Shown {
  /** Of each output. */
  readonly tables: readonly Tables[];
  readonly problem: string;
}

const READ = `({ tables: ${READ_OUTPUTS}, problem: document.querySelector('#problem').textContent })`;

/** Opens an address in the page. */
export function goTo(page: Page, what: string, values: Readonly<Record<string, Nested>> = {}): Promise<Shown> {
  const parts = Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  return page.evaluate(`(async () => {
    const changed = new Promise((resolve) => addEventListener('hashchange', resolve, { once: true }));
    const before = location.hash;
    location.hash = ${JSON.stringify([encodeURIComponent(what), ...parts].join('&'))};
    if (location.hash !== before) await changed;
    await ${NEXT_TASK};
    return ${READ};
  })()`);
}

/** A number to type for an element of a leaf. */
export type Edit = readonly [leaf: string, element: number, value: number];

/** Types numbers, one after the other. A large leaf has a field for the element, and one for its value. */
export function type(page: Page, ...edits: readonly Edit[]): Promise<Shown> {
  return page.evaluate(`(async () => {
    const enter = (field, value) => {
      field.value = String(value);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    for (const [leaf, element, value] of ${JSON.stringify(edits)}) {
      const fields = document.querySelectorAll('[data-leaf="' + leaf + '"]');
      const at = fields[0].closest('fieldset')?.querySelector('input[max]');
      if (at) enter(at, element);
      enter(at ? fields[0] : fields[element], value);
    }
    await ${NEXT_TASK};
    return ${READ};
  })()`);
}

/** What the tables have to show of the program's JSON when all gates are done. */
export function tablesOf({ gates, leaves }: Output): Tables {
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

let isSameEngine: boolean | undefined;

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

/** Expects tables of a graph, bit for bit where the browser's engine permits it. */
export async function expectTables(
  page: Page,
  what: string,
  got: readonly Tables[],
  wanted: readonly Tables[],
): Promise<void> {
  if (await isExact(page, what)) expect(got, what).toEqual(wanted);
  else expectClose(got, wanted, what);
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]\d+)?/g;

/** Expects the same texts, and numbers that differ by rounding at most. */
function expectClose(got: unknown, wanted: unknown, what: string): void {
  const [text, wantedText] = [got, wanted].map((tables) => JSON.stringify(tables));
  expect(text.replace(NUMBER, '#'), what).toBe(wantedText.replace(NUMBER, '#'));
  const [numbers, wantedNumbers] = [text, wantedText].map((one) => (one.match(NUMBER) ?? []).map(Number));
  const worst = numbers.map((number, i) => Math.abs(number - wantedNumbers[i]) / (1 + Math.abs(wantedNumbers[i])));
  expect(Math.max(0, ...worst), what).toBeLessThan(1e-9);
}
