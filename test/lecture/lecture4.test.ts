import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runMain } from '../support/in-process.ts';

const fixture = (name: string) => JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));

/** Values from the slides and notes of CS231n's lecture 4, recomputed step by step in numpy. */
const LECTURE = fixture('lecture4.json');
const TOY_NET = fixture('cs231n-two-layer.json');

type Numbers = number | Numbers[];

interface Output {
  readonly name: string;
  readonly value: Numbers;
  readonly leaves: readonly { name: string; value: Numbers; gradient: Numbers }[];
  readonly gates: readonly {
    output: string;
    gate: string;
    value: Numbers;
    upstream: Numbers;
    inputs: readonly { name: string; wire: string; local?: Numbers; formula?: string; gradient: Numbers }[];
  }[];
}

async function explain(...args: string[]) {
  const { code, stdout, stderr } = await runMain(['explain', ...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const json = JSON.parse(stdout);
  const lookUp = (output: Output) => {
    const gate = (name: string) => output.gates.find((entry) => entry.output === name)!;
    return {
      gates: output.gates.map((entry) => entry.gate),
      value: (name: string) => gate(name).value,
      upstream: (name: string) => gate(name).upstream,
      contribution: (name: string, input: string) => gate(name).inputs.find((entry) => entry.name === input)!.gradient,
      formulas: (name: string) => gate(name).inputs.map(({ formula }) => formula),
      gradient: (name: string) => output.leaves.find((leaf) => leaf.name === name)!.gradient,
    };
  };
  const outputs: ReturnType<typeof lookUp>[] = json.outputs.map(lookUp);
  return { ...outputs[0], outputs, jacobian: json.jacobian, notes: json.notes.join('\n') };
}

/** Matches each element to 12 decimal places. */
function close(expected: Numbers): unknown {
  return Array.isArray(expected) ? expected.map(close) : expect.closeTo(expected, 12);
}

const transposed = (matrix: number[][]) => matrix[0].map((_, j) => matrix.map((row) => row[j]));

describe('scalars', () => {
  it('product', async () => {
    const { value, upstream, gradient } = await explain('product');
    const { q, f, df_dq, df_dx, df_dy, df_dz } = LECTURE.xyz;
    expect([value('q'), value('f'), upstream('q')]).toEqual([q, f, df_dq]);
    expect(['x', 'y', 'z'].map(gradient)).toEqual([df_dx, df_dy, df_dz]);
  });

  it('sigmoid has the gates of the slides', async () => {
    const { gates, value, upstream, gradient } = await explain('sigmoid');
    const { fwd, bwd } = LECTURE.sigmoid;
    expect(gates).toEqual(['*', '*', '+', '+', '×−1', 'exp', '+1', '1/x']);
    const wires = ['#1', '#2', '#3', '#4', '#5', '#6', '#7', 'f'];
    const names = ['w0x0', 'w1x1', 'sum', 's', 'neg', 'exp', 'plus1', 'f'];
    expect(wires.map(value)).toEqual(names.map((name) => close(fwd[name])));
    // The fixture has no gradient at w1x1: it equals that at sum, as + passes it on unchanged.
    expect(wires.map(upstream)).toEqual(names.map((name) => close(bwd[name === 'w1x1' ? 'sum' : name])));
    const leaves = ['w0', 'x0', 'w1', 'x1', 'w2'];
    expect(leaves.map(gradient)).toEqual(leaves.map((name) => close(bwd[name])));
  });

  it('sigmoid-gate has a single gate with the same gradients', async () => {
    const { gates, value, upstream, gradient } = await explain('sigmoid-gate');
    expect(gates.at(-1)).toBe('sigmoid');
    expect(value('f')).toEqual(close(LECTURE.sigmoid.fwd.f));
    expect(upstream('s')).toEqual(close(LECTURE.sigmoid.shortcut));
    expect(gradient('x1')).toEqual(close(LECTURE.sigmoid.bwd.x1));
  });

  it('staged', async () => {
    const { value, upstream, gradient } = await explain('staged');
    const stages = ['sigy', 'num', 'sigx', 'xpy', 'xpysqr', 'den', 'invden', 'f'];
    expect(stages.map(value)).toEqual(stages.map((name) => close(LECTURE.staged[name])));
    const inner = stages.slice(0, -1);
    expect(inner.map(upstream)).toEqual(inner.map((name) => close(LECTURE.staged[`d${name}`])));
    expect([gradient('x'), gradient('y')]).toEqual([close(LECTURE.staged.dx), close(LECTURE.staged.dy)]);
  });
});

describe('patterns', () => {
  it('2 (xy + max(z, w))', async () => {
    const { value, upstream, gradient } = await explain('patterns');
    const { mul, max, add, out, grad } = LECTURE.patterns_notes;
    expect(['#1', '#2', '#3', 'f'].map(value)).toEqual([mul, max, add, out]);
    expect(['#1', '#2', '#3', 'f'].map(upstream)).toEqual([grad.mul, grad.max, grad.add, grad.out]);
    expect(['x', 'y', 'z', 'w'].map(gradient)).toEqual([grad.x, grad.y, grad.z, grad.w]);
  });

  it.each([
    ['add', { x: 2, y: 2 }],
    ['multiply', { x: 2 * -4, y: 2 * 3 }],
    ['max', { z: 2, w: 0 }],
    ['copy', { x: -4 + 2, y: 3, z: 3 }],
    ['branch', { x: -4 + 2 * 3, y: -4 + 2 * 3, z: 3 }],
  ])('%s', async (name, gradients) => {
    const { gradient } = await explain(name);
    for (const [leaf, expected] of Object.entries(gradients)) expect(gradient(leaf), leaf).toBe(expected);
  });

  it('branch shows the contribution of each gate', async () => {
    const { contribution, upstream } = await explain('branch');
    expect([contribution('#2', 'a'), contribution('#3', 'x'), upstream('q')]).toEqual([-4, 6, 2]);
  });

  it('perceptron has no gradient, and its own rule classifies the input correctly', async () => {
    const { value, gradient, notes } = await explain('perceptron');
    expect(value('y')).toBe(0);
    expect([gradient('w'), gradient('x'), gradient('b')]).toEqual([[0, 0], [0, 0], 0]);
    const moved = await explain('perceptron', 'w=[1.5,1]', 'b=1.25');
    expect([moved.value('s'), moved.value('y')]).toEqual([4.75, 1]);
    expect(notes).toContain('w becomes [1.5, 1] and b becomes 1.25; then w·x + b = 4.75');
    expect(moved.notes).not.toContain('becomes');
  });
});

describe('vectors', () => {
  it('norm2', async () => {
    const { value, upstream, gradient, formulas } = await explain('norm2');
    const { q, f, dq, dW, dx } = LECTURE.norm2;
    expect([value('q'), value('f'), upstream('q')]).toEqual([close(q), close(f), close(dq)]);
    expect([gradient('W'), gradient('x')]).toEqual([close(dW), close(dx)]);
    expect(formulas('q')).toEqual(['upstream · xᵀ', 'Wᵀ · upstream']);
  });

  it('matrix has the correct product and mentions the misprint of the slide', async () => {
    const { outputs, notes, value, gradient } = await explain('matrix');
    const { y_true, y_printed, dX, dW } = LECTURE.matrix;
    expect(value('Y')).toEqual(y_true);
    expect([gradient('X'), gradient('W')]).toEqual([dX, dW]);
    expect(outputs[1].value('y')).toEqual(y_true[0]);
    expect(outputs[1].gradient('x')).toEqual(dX[0]);
    expect(notes).toContain(JSON.stringify(y_printed));
    expect(notes).toContain(`${LECTURE.jac_mem_GiB} GiB`);
  });

  it('jacobian', async () => {
    const { jacobian, outputs } = await explain('jacobian');
    expect(jacobian).toEqual({
      rows: ['f1', 'f2'],
      columns: ['x', 'y'],
      values: [
        [6, -4],
        [4, 6],
      ],
    });
    expect(outputs.map(({ gradient }) => [gradient('x'), gradient('y')])).toEqual([
      [6, -4],
      [4, 6],
    ]);
  });

  it('elementwise-max summarises 4096 numbers and builds no Jacobian', async () => {
    const { jacobian, value, notes, gradient } = await explain('elementwise-max');
    const { single, mb100, mb_GB } = LECTURE.jac4096;
    expect(jacobian).toBeNull();
    expect(value('y')).toMatchObject({ shape: [single[0]] });
    const { meanAbsolute, first } = gradient('x') as unknown as { meanAbsolute: number; first: number[] };
    expect(Math.abs(meanAbsolute - 0.5)).toBeLessThan(0.05);
    expect(new Set(first)).toEqual(new Set([0, 1]));
    expect(notes).toContain(`[${single.join(', ')}]`);
    expect(notes).toContain(`[${mb100.join(', ')}]: ${Math.round(mb_GB)} GB`);
  });
});

describe('networks', () => {
  it('two-layer has the published scores, losses and gradients', async () => {
    const { value, contribution, gradient } = await explain('two-layer');
    const { W1, b1, W2, b2 } = TOY_NET.grads_data_only;
    expect(value('logits')).toEqual(close(TOY_NET.scores));
    expect(value('softmax cross-entropy')).toEqual(close(TOY_NET.data_loss));
    expect(value('loss + L2')).toEqual(close(TOY_NET.loss_reg_01_half));
    expect(contribution('fc1', 'weight')).toEqual(close(transposed(W1)));
    expect(contribution('logits', 'weight')).toEqual(close(transposed(W2)));
    expect([gradient('fc1.bias'), gradient('fc2.bias')]).toEqual([close(b1), close(b2)]);
    const decayed = transposed(W1).map((row, i) => row.map((g, j) => g + 0.1 * TOY_NET.W1[j][i]));
    expect(gradient('fc1.weight')).toEqual(close(decayed));
  });

  it('linear starts near the loss at chance, and the image has no gradient', async () => {
    const { value, gradient, formulas } = await explain('linear');
    expect(Math.abs((value('softmax cross-entropy') as number) - Math.log(10))).toBeLessThan(0.1);
    expect(gradient('images')).toBeNull();
    expect(gradient('linear.weight')).toMatchObject({ shape: [10, 3072] });
    expect((gradient('linear.bias') as number[]).reduce((a, b) => (a as number) + (b as number))).toBeCloseTo(0, 12);
    expect(formulas('logits')).toEqual([undefined, 'upstreamᵀ · images', 'Σ rows of upstream']);
  });
});
