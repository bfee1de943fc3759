import { describe, expect, it } from 'vitest';
import { askedIn } from '../../src/explorer/exercise.ts';
import { agrees, judge, readNumber } from '../../src/explorer/judge.ts';
import { ask } from '../../src/explorer/question.ts';
import { EXAMPLES } from '../../src/lecture/examples.ts';

async function askedOf(what: string, exercise = EXAMPLES.find(({ name }) => name === what)!.exercise) {
  const question = await ask(what, new Map());
  const { explanations } = await question.explain(question.values);
  return explanations.map((one) => askedIn(exercise, one)).find((asked) => asked !== undefined)!;
}

describe('an answer', () => {
  it.each([
    ['-4', -4],
    [' −4 ', -4],
    ['+.5', 0.5],
    ['0,25', 0.25],
    ['1/4', 0.25],
    ['-3 / -12', 0.25],
    ['25e-2', 0.25],
  ])('%s is read as a number', (text, number) => {
    expect(readNumber(text)).toBe(number);
  });

  it.each(['', 'x', '1/', '1 2', '--1', '1,000.5', '0x10', 'Infinity', '1/0'])('%s is none', (text) => {
    expect(Number.isFinite(readNumber(text))).toBe(false);
  });

  it('needs the two digits that the lecture prints, and an integer must be met', () => {
    expect([0.2, 0.197, 0.19661].map((answer) => agrees(answer, 0.19661193))).toEqual([true, true, true]);
    expect([0.19, 0.21, -0.2, 0].map((answer) => agrees(answer, 0.19661193))).toEqual([false, false, false, false]);
    expect([0.018, 0.0176, 0.02].map((answer) => agrees(answer, 0.01764))).toEqual([true, true, false]);
    expect([-4, -4.01, -3.99].map((answer) => agrees(answer, -4))).toEqual([true, false, false]);
    expect([0, 0.001].map((answer) => agrees(answer, 0))).toEqual([true, false]);
  });

  it.each([
    ['product', '-4', undefined],
    ['product', '4', 'The size is right, the sign is not'],
    ['product', '1', 'the local gradient of the gate +'],
    ['product', '-2', 'the value of x'],
    ['product', '7', 'arrives at the gate +, and multiply it by the local gradient ∂q/∂x = 1'],
    ['product', 'four', 'Type a number'],
    ['copy', '2', 'x goes to 2 gates: add up'],
    ['copy', '7', 'x goes to 2 gates'],
    ['sigmoid', '-0.2', undefined],
    ['sigmoid', '-0.21', 'Close, but not to two digits'],
    ['sigmoid', '0.2', 'the gradient that arrives at the gate *'],
    ['matrix', '7', 'upstream · Wᵀ, where upstream is that of Y'],
  ])('to the question of %s: %s', async (name, answer, wanted) => {
    const verdict = judge(answer, await askedOf(name));
    if (wanted === undefined) expect(verdict).toBeUndefined();
    else expect(verdict).toContain(wanted);
  });
});

describe('the exercises', () => {
  /** Worked out by hand from the slides and notes, to the digits that a student needs. */
  const SOLUTIONS: Readonly<Record<string, string>> = {
    product: '-4',
    sigmoid: '-0.20',
    'sigmoid-gate': '0.20',
    staged: '3.0',
    add: '2',
    multiply: '-8',
    max: '0',
    copy: '-2',
    patterns: '6',
    branch: '2',
    jacobian: '4',
    'elementwise-max': '0',
    norm2: '0.44',
    matrix: '16',
    linear: '-0.90',
    'two-layer': '0.018',
    perceptron: '0',
  };

  it.each(EXAMPLES.map(({ name }) => name))('of %s has the answer of the lecture', async (name) => {
    const asked = await askedOf(name);
    expect(judge(SOLUTIONS[name], asked)).toBeUndefined();
    expect(judge(String(asked.gradient + 1), asked)).toMatch(/^(No|That|The size|Close)/);
  });

  it('are not answered by what is read before', () => {
    for (const { name, text, exercise } of EXAMPLES) {
      const solution = SOLUTIONS[name].replace(/0$/, '');
      if (Math.abs(Number(solution)) > 2) expect(`${text} ${exercise.question}`, name).not.toContain(solution);
    }
  });
});
