import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Nested } from '../../src/explain/expression/values.ts';
import { EXAMPLES } from '../../src/lecture/examples.ts';
import { describePages } from '../support/browser.ts';
import {
  expectTables,
  goTo,
  htmlOf,
  type Output,
  outputsOf,
  READ_TABLES,
  SHOW_NUMBERS,
  type Tables,
  tablesOf,
} from '../support/explorer.ts';

/** What the page shows at a step. */
interface ShownStep {
  readonly step: number;
  readonly tables: Tables;
  /** Labels of the drawing with a value, labels with a gradient, and gates that are lit. */
  readonly drawn: readonly [values: number, gradients: number, lit: number];
  /** For each input of the gate at work backward, the texts of upstream, local (unless it is a formula) and product. */
  readonly panel: readonly { readonly input: string; readonly parts: readonly string[] }[];
}

/** Goes through all steps of the output that is shown, forward and back. */
const WALK = `(async () => {
  while (!document.querySelector('#drawing svg')) await new Promise(requestAnimationFrame);
  const slider = document.querySelector('#stepper input');
  const steps = Array.from({ length: Number(slider.max) + 1 }, (_, step) => step);
  const labels = [...document.querySelectorAll('#drawing .label')];
  const count = (kind) => labels.filter((label) => label.querySelector(kind)).length;
  return [...steps, ...steps.toReversed()].map((step) => {
    slider.value = step;
    slider.dispatchEvent(new Event('input'));
    return {
      step,
      tables: ${READ_TABLES},
      drawn: [count('.value'), count('.gradient'), document.querySelectorAll('.gate.active').length],
      panel: [...document.querySelectorAll('#gate .input')].map((input) => ({
        input: input.dataset.input,
        parts: [...input.querySelectorAll('.number, .matrix')].map((part) => part.textContent),
      })),
    };
  });
})()`;

async function walk(page: Page, output: number): Promise<ShownStep[]> {
  const buttons = page.locator('.outputs button');
  if ((await buttons.count()) > 0) await buttons.nth(output).click();
  return page.evaluate(WALK);
}

/** The step at which a gate works backward, of n gates. */
const backwardStep = (gate: number, n: number) => n + 1 + (n - gate);

/** What is known at a step, by the order of the passes: the leaves, the gates forward, the upstream gradient, the gates
 *  backward, everything. */
function progress({ gates }: Output, step: number) {
  const n = gates.length;
  const isForward = (gate: number) => step >= gate + 1;
  const isBackward = (gate: number) => step >= backwardStep(gate, n);
  /** A gradient is complete once all gates that use the wire have passed theirs back. */
  const isComplete = (wire: string) =>
    step > n && gates.every(({ inputs }, i) => !inputs.some((input) => input.wire === wire) || isBackward(i));
  return { isForward, isBackward, isComplete };
}

function tablesAt(output: Output, step: number): Tables {
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

/** As many values and gradients as are known, and one gate at work. */
function drawnAt(output: Output, step: number): readonly [number, number, number] {
  const { isForward, isBackward, isComplete } = progress(output, step);
  const n = output.gates.length;
  const names = [...output.leaves.map(({ name }) => name), ...output.gates.map((gate) => gate.output)];
  const usesOf = (wire: string) => output.gates.flatMap(({ inputs }) => inputs.filter((input) => input.wire === wire));
  const hasGradient = (wire: string) => usesOf(wire).some(({ gradient }) => gradient !== null);
  const values = names.filter((_, k) => k < output.leaves.length || isForward(k - output.leaves.length));
  const trunks = names.filter((name) => usesOf(name).length > 1 && hasGradient(name) && isComplete(name));
  const branches = output.gates.flatMap(({ inputs }, i) =>
    inputs.filter(({ gradient }) => gradient !== null && isBackward(i)),
  );
  const isAtGate = (step > 0 && step <= n) || (step > n + 1 && step < 2 * n + 2);
  return [values.length, trunks.length + branches.length + (step > n ? 1 : 0), isAtGate ? 1 : 0];
}

const fixture = (name: string) => JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));
const LECTURE = fixture('lecture4.json');
const TOY_NET = fixture('cs231n-two-layer.json');

const transposed = (matrix: number[][]) => matrix[0].map((_, j) => matrix.map((row) => row[j]));
const timesTwo = (numbers: number[]) => numbers.map((number) => 2 * number);
const sigmoidSlope = (value: number) => (1 - value) * value;

/** Upstream, local and product of each input of a gate. A local gradient that is a formula has no numbers. */
type Row = readonly [upstream: Nested, local: Nested | 'formula', product: Nested];

/** What the lecture has, by example and by the output of a gate, in the order of its inputs. */
const WANTED: Readonly<Record<string, Readonly<Record<string, readonly Row[]>>>> = {
  product: product(LECTURE.xyz),
  sigmoid: sigmoid(LECTURE.sigmoid),
  staged: staged(LECTURE.staged),
  patterns: patterns(LECTURE.patterns_notes),
  norm2: {
    q: [
      [LECTURE.norm2.dq, 'formula', LECTURE.norm2.dW],
      [LECTURE.norm2.dq, 'formula', LECTURE.norm2.dx],
    ],
    f: [[1, timesTwo(LECTURE.norm2.q), LECTURE.norm2.dq]],
  },
  matrix: {
    Y: [
      [
        [
          [2, 3, -3, 9],
          [-8, 1, 4, 6],
        ],
        'formula',
        LECTURE.matrix.dX,
      ],
      [
        [
          [2, 3, -3, 9],
          [-8, 1, 4, 6],
        ],
        'formula',
        LECTURE.matrix.dW,
      ],
    ],
  },
};

function product({ q, z, df_dq, df_dz, df_dx, df_dy }: Record<string, number>) {
  return {
    q: [
      [df_dq, 1, df_dx],
      [df_dq, 1, df_dy],
    ],
    f: [
      [1, z, df_dq],
      [1, q, df_dz],
    ],
  } as const;
}

function sigmoid({ fwd, bwd }: { fwd: Record<string, number>; bwd: Record<string, number> }) {
  // The fixture has no gradient at w1x1: it equals that at the sum, which + passes on unchanged.
  const w1x1 = bwd.sum;
  return {
    '#1': [
      [bwd.w0x0, -1, bwd.w0],
      [bwd.w0x0, 2, bwd.x0],
    ],
    '#2': [
      [w1x1, -2, bwd.w1],
      [w1x1, -3, bwd.x1],
    ],
    '#3': [
      [bwd.sum, 1, bwd.w0x0],
      [bwd.sum, 1, w1x1],
    ],
    '#4': [
      [bwd.s, 1, bwd.sum],
      [bwd.s, 1, bwd.w2],
    ],
    '#5': [[bwd.neg, -1, bwd.s]],
    '#6': [[bwd.exp, fwd.exp, bwd.neg]],
    '#7': [[bwd.plus1, 1, bwd.exp]],
    f: [[bwd.f, -1 / fwd.plus1 ** 2, bwd.plus1]],
  } as const;
}

function staged(at: Record<string, number>) {
  return {
    sigy: [[at.dsigy, sigmoidSlope(at.sigy), at.dy - at.dxpy]],
    num: [
      [at.dnum, 1, at.dnum],
      [at.dnum, 1, at.dsigy],
    ],
    sigx: [[at.dsigx, sigmoidSlope(at.sigx), at.dx - at.dnum - at.dxpy]],
    xpy: [
      [at.dxpy, 1, at.dxpy],
      [at.dxpy, 1, at.dxpy],
    ],
    xpysqr: [[at.dxpysqr, 2 * at.xpy, at.dxpy]],
    den: [
      [at.dden, 1, at.dsigx],
      [at.dden, 1, at.dxpysqr],
    ],
    invden: [[at.dinvden, -1 / at.den ** 2, at.dden]],
    f: [
      [1, at.invden, at.dnum],
      [1, at.num, at.dinvden],
    ],
  } as const;
}

function patterns({ inp, grad }: { inp: number[]; grad: Record<string, number> }) {
  const [x, y] = inp;
  return {
    '#1': [
      [grad.mul, y, grad.x],
      [grad.mul, x, grad.y],
    ],
    '#2': [
      [grad.max, 1, grad.z],
      [grad.max, 0, grad.w],
    ],
    '#3': [
      [grad.add, 1, grad.mul],
      [grad.add, 1, grad.max],
    ],
    f: [[grad.out, 2, grad.add]],
  } as const;
}

/** Matches each number to so many decimal places. */
const close = (expected: Nested, digits: number): unknown =>
  typeof expected === 'number' ? expect.closeTo(expected, digits) : expected.map((item) => close(item, digits));

/** Reads a number, a column or the rows of a matrix. */
function numbersIn(text: string): Nested {
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  if (rows.length === 1 && rows[0].length === 1) return rows[0][0];
  return rows.every((row) => row.length === 1) ? rows.map(([number]) => number) : rows;
}

/** Expects the rows of a gate in the table, in full, and beside the graph to the digits that it shows. */
function expectRows(shown: ShownStep, output: Output, gate: number, wanted: readonly Row[], what: string): void {
  const first = output.gates.slice(0, gate).reduce((count, { inputs }) => count + inputs.length, 0);
  const upstream = JSON.parse(shown.tables[0][first][3]);
  for (const [i, [wantedUpstream, local, product]] of wanted.entries()) {
    const [, , , , input, localText, productText] = shown.tables[0][first + i];
    const message = `${what}: ${input}`;
    expect([upstream, JSON.parse(productText)], message).toEqual([close(wantedUpstream, 12), close(product, 12)]);
    if (local !== 'formula') expect(JSON.parse(localText), message).toEqual(close(local, 12));
    const factors = local === 'formula' ? [wantedUpstream, product] : [wantedUpstream, local, product];
    expect(shown.panel[i].parts.map(numbersIn), message).toEqual(factors.map((factor) => close(factor, 3)));
  }
}

describePages('stepping through a graph', (pages) => {
  it('shows what each step knows, and upstream, local and product as the lecture has them, there and back', async () => {
    const { page, errors } = await pages.open(htmlOf('product'));
    await page.evaluate(SHOW_NUMBERS);
    let compared = 0;
    for (const { name } of EXAMPLES) {
      await goTo(page, name);
      for (const [i, output] of (await outputsOf(name)).entries()) {
        const n = output.gates.length;
        const steps = await walk(page, i);
        expect(steps, name).toHaveLength(2 * (2 * n + 3));
        const all = steps.map(({ step }) => step);
        await expectTables(
          page,
          name,
          steps.map(({ tables }) => tables),
          all.map((step) => tablesAt(output, step)),
        );
        expect(
          steps.map(({ drawn }) => drawn),
          name,
        ).toEqual(all.map((step) => drawnAt(output, step)));
        for (const [gate, { output: wire }] of output.gates.entries()) {
          const wanted = WANTED[name]?.[wire];
          if (!wanted) continue;
          for (const shown of steps.filter(({ step }) => step === backwardStep(gate, n))) {
            expectRows(shown, output, gate, wanted, `${name}, ${wire}`);
            compared++;
          }
        }
      }
    }
    const gates = Object.values(WANTED).reduce((count, example) => count + Object.keys(example).length, 0);
    expect(compared).toBe(2 * gates);
    expect(errors).toEqual([]);
  });

  it('shows the gradients of the toy network that numpy has', async () => {
    const { page } = await pages.open(htmlOf('two-layer'));
    await page.evaluate(SHOW_NUMBERS);
    const [output] = await outputsOf('two-layer');
    const steps = await walk(page, 0);
    const { W1, b1, W2, b2 } = TOY_NET.grads_data_only;
    const rows = output.gates.flatMap((gate, i) => gate.inputs.map((input) => ({ i, gate, input })));
    for (const [wire, weight, bias] of [
      ['fc1', transposed(W1), b1],
      ['logits', transposed(W2), b2],
    ] as const) {
      const gate = output.gates.findIndex((one) => one.output === wire);
      const shown = steps.find(({ step }) => step === backwardStep(gate, output.gates.length))!;
      const productOf = (name: string) =>
        JSON.parse(shown.tables[0][rows.findIndex(({ i, input }) => i === gate && input.name === name)][6]);
      expect([productOf('weight'), productOf('bias')], wire).toEqual([close(weight, 12), close(bias, 12)]);
    }
  });

  it('shows the sum where a value branches, as far as it is known', async () => {
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
});
