import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FUNCTIONS } from '../../../src/explain/expression/operations.ts';
import { EXAMPLES } from '../../../src/lecture/examples.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';

const explain = (...args: string[]) => runMain(['explain', ...args]);

async function json(...args: string[]) {
  const { code, stdout } = await explain('--json', ...args);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

async function error(...args: string[]) {
  const { code, stdout, stderr } = await explain(...args);
  expect(stdout).toBe('');
  expect(code).toBe(2);
  return stderr;
}

describe('the table', () => {
  it('has every gate with its value, upstream and local gradients and their products', async () => {
    const { code, stdout, stderr } = await explain('(x+y)*z', 'x=-2', 'y=5', 'z=-4');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`(x+y)*z

wire  gate  value  upstream  input   local  product
#1    +         3        -4  x = -2      1       -4
                             y = 5       1       -4
f     *       -12         1  #1 = 3     -4       -4
                             z = -4      3        3

wire  value  gradient of f
x        -2             -4
y         5             -4
z        -4              3
`);
  });

  it('shows vectors as columns, matrices as rows, and matrix-valued local gradients as formulas', async () => {
    const { stdout } = await explain('q = W*x; norm2(q)', 'W=[[0.1,0.5],[-0.3,0.8]]', 'x=[0.2,0.4]');
    expect(stdout).toContain(`
wire  gate    value  upstream  input          local       product
q     matmul   0.22      0.44  W      upstream · xᵀ  0.088  0.176
               0.26      0.52                        0.104  0.208
                               x      Wᵀ · upstream        -0.112
                                                            0.636
`);
  });

  it('sums the gradients of a value that branches', async () => {
    const { stdout } = await explain('a = x*y; x + a', 'x=3', 'y=4');
    expect(stdout).toContain(`
wire  value  gradient of f  which is the sum of
x         3              5  4 through a
                            1 through f
`);
  });

  it.each(EXAMPLES.map(({ name }) => name))('of %s fits into 80 columns', async (name) => {
    const { code, stdout } = await explain(name);
    expect(code).toBe(0);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('has colours in a terminal only, and none with NO_COLOR', async () => {
    const args = ['explain', 'product'];
    const plain = (await runMain(args)).stdout;
    const coloured = (await runMain(args, {}, 80)).stdout;
    expect(coloured).toContain('\u001b[32m');
    expect(coloured).toContain('\u001b[31m');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect((await runMain(args, { NO_COLOR: '1' }, 80)).stdout).toBe(plain);
  });

  it('abbreviates large tensors, with a note', async () => {
    const { stdout } = await explain('norm2(v)', `v=[${Array.from({ length: 20 }, (_, i) => i).join(',')}]`);
    expect(stdout).toContain('[20]\n');
    expect(stdout).toContain('mean |·| 9.5');
    expect(stdout).toContain('Large tensors are abbreviated');
  });
});

describe('--upstream', () => {
  const product = ['W*x', 'W=[[1,-2],[3,4]]', 'x=[1,1]'];

  it('defaults to ones, with a note', async () => {
    const { outputs, notes, jacobian } = await json(...product);
    expect(outputs[0].upstream).toEqual([1, 1]);
    expect(notes).toEqual([expect.stringContaining('is 1 for every element (--upstream sets another)')]);
    expect(jacobian.columns).toEqual(['W[0][0]', 'W[0][1]', 'W[1][0]', 'W[1][1]', 'x[0]', 'x[1]']);
    expect(jacobian.values).toEqual([
      [1, 1, 0, 0, 1, -2],
      [0, 0, 1, 1, 3, 4],
    ]);
  });

  it('is the gradient that the backward pass starts from', async () => {
    const { outputs, notes } = await json(...product, '--upstream', '[10,20]');
    expect(outputs[0].leaves.map(({ gradient }: { gradient: unknown }) => gradient)).toEqual([
      [
        [10, 10],
        [20, 20],
      ],
      [70, 60],
    ]);
    expect(notes).toEqual([]);
    expect((await json('product', '--upstream', '2')).outputs[0].leaves[0].gradient).toBe(-8);
    const two = await json('2*x; 3*x', 'x=1', '--upstream', '{"f2": 5}');
    expect(two.outputs.map(({ upstream }: { upstream: unknown }) => upstream)).toEqual([1, 5]);
  });

  it('must have the shape of the output', async () => {
    expect(await error(...product, '--upstream', '[1,2,3]')).toContain(
      '--upstream must be a vector of 2, like f, got a vector of 3',
    );
    expect(await error(...product, '--upstream', '1')).toContain(
      '--upstream must be a vector of 2, like f, got a scalar',
    );
    expect(await error('2*x; 3*x', 'x=1', '--upstream', '1')).toContain('as in {"f1": …}; the outputs are f1, f2');
    expect(await error('2*x', 'x=1', '--upstream', '{"g": 1}')).toContain('--upstream names g, which is not an output');
    expect(await error('2*x', 'x=1', '--upstream', '[1')).toContain('--upstream must be a number or a JSON array');
  });
});

describe('drawings', () => {
  it('are written to files, with a note', async () => {
    const folder = temporaryFolder();
    const [svg, html] = [path.join(folder, 'p.svg'), path.join(folder, 'p.html')];
    const drawn = await explain('product', '--svg', svg, '--html', html);
    expect([drawn.code, drawn.stderr]).toEqual([0, `wrote ${svg}\nwrote ${html}\n`]);
    expect(drawn.stdout).toBe((await explain('product')).stdout);
    expect(await json('product', '--svg', svg)).toEqual(await json('product'));
    expect(readFileSync(svg, 'utf8')).toMatch(/<svg[\s\S]*-12[\s\S]*<\/svg>/);
    expect(readFileSync(html, 'utf8')).toContain('"what":"product","values":{}');
  });

  it('fail with a message if they cannot be written', async () => {
    const { code, stderr } = await explain('product', '--svg', '/nowhere/p.svg');
    expect(code).toBe(1);
    expect(stderr).toContain('cannot write the drawing /nowhere/p.svg');
  });
});

describe('--lecture', () => {
  it('writes the page with all examples, and nothing else', async () => {
    const file = path.join(temporaryFolder(), 'lecture.html');
    expect(await explain('--lecture', '--html', file)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `wrote ${file}\n`,
    });
    expect(readFileSync(file, 'utf8')).toContain('"isLecture":true');
  });

  it('takes no expression and no other option, and needs a file or a browser', async () => {
    const others = [['product'], ['--json'], ['--svg', 'f.svg'], ['--model', 'mlp'], ['--seed', '1'], ['--trust']];
    for (const words of others) {
      expect(await error('--lecture', '--html', 'lecture.html', ...words)).toContain(`got ${words[0]}\n`);
    }
    expect(await error('--lecture')).toContain('name its file with --html FILE, or add --open');
  });
});

describe('help', () => {
  it('lists the examples', async () => {
    const { code, stdout } = await explain('--list');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(EXAMPLES.length);
    const introduction = await explain();
    expect(introduction.code).toBe(0);
    expect(introduction.stdout).toContain(stdout);
  });

  it('names every function', async () => {
    const { stdout } = await explain('--help');
    for (const name of FUNCTIONS.keys()) expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('suggests the example that was meant', async () => {
    expect(await error('prodct')).toContain("unknown example 'prodct'. Did you mean 'product'?");
    expect(await error('sigmoid-gat')).toContain("Did you mean 'sigmoid-gate'?");
    expect(await error('banana')).toContain("unknown example 'banana'. A variable alone is not an expression.");
    expect(await error('-x^2', 'x=3')).toContain('nn-train explain -- "-x^2" x=3');
    expect((await json('--', '-x^2', 'x=3')).outputs[0].value).toBe(-9);
    expect((await json('x-y', 'x=3', 'y=1')).outputs[0].value).toBe(2);
  });

  it('suggests a command with the missing values', async () => {
    const message = await error('(x+y)*z', 'x=-2');
    expect(message).toBe(
      "error: no value given for y, z; add one, for example\n  nn-train explain '(x+y)*z' x=-2 y=1 z=1\n",
    );
    const example = message.split('\n')[1].match(/'(.*)' (.*)/)!;
    expect((await explain(example[1], ...example[2].split(' '))).code).toBe(0);
  });
});

describe('an example', () => {
  it('accepts other values, and shows its notes for its own values only', async () => {
    const { outputs, notes } = await json('product', 'x=3');
    expect(outputs[0].value).toBe(-32);
    expect(notes).toEqual([]);
    expect(await error('product', 'w=3')).toContain('the expression has no variable w; its variables are x, y, z');
    expect(await error('linear', 'x=3')).toContain('the example linear takes no values, got x');
  });
});

it('notes where a gradient is undefined', async () => {
  const { outputs, notes } = await json('x^n', 'x=-2', 'n=2');
  expect(outputs[0].gates[0].inputs.map(({ gradient }: { gradient: unknown }) => gradient)).toEqual([-4, null]);
  expect(notes).toEqual(['The gradient of f by n through f (^) is undefined here.']);
});
