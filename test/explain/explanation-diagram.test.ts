import { describe, expect, it } from 'vitest';
import { diagramOf } from '../../src/explain/explanation-diagram.ts';
import { compile } from '../../src/explain/expression/compile.ts';
import { parseFormula } from '../../src/explain/expression/language.ts';
import { parseAssignments } from '../../src/explain/expression/values.ts';
import { explainGraph } from '../../src/explain/graph-explanation.ts';

async function wiresOf(text: string, ...words: string[]) {
  const subject = await compile(parseFormula(text), parseAssignments(words));
  const { nodes, wires } = diagramOf(text, (await explainGraph(subject)).explanations);
  const label = (id: string) => {
    const { kind, label } = nodes.find((node) => node.id === id)!;
    return kind === 'junction' ? 'dot' : kind === 'output' ? `end ${label}` : label;
  };
  expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
  return wires.map(({ from, to, value, gradient }) => [label(from), label(to), value.join('|'), gradient.join('|')]);
}

describe('a drawing', () => {
  it('has a wire with value and gradient for each input of each gate in order, and names named values', async () => {
    expect(await wiresOf('q = x + y; f = q * z', 'x=-2', 'y=5', 'z=-4')).toEqual([
      ['x', '+', '-2', '-4'],
      ['y', '+', '5', '-4'],
      ['+', '*', 'q = 3', '-4'],
      ['z', '*', '-4', '3'],
      ['*', 'end f', '-12', '1'],
    ]);
  });

  it('forks at a junction, with the sum on the trunk and the contributions on the branches', async () => {
    expect(await wiresOf('x*x + 3*x', 'x=5')).toEqual([
      ['x', 'dot', '5', '13'],
      ['dot', '*', '', '5'],
      ['dot', '*', '', '5'],
      ['dot', '×3', '', '3'],
      ['*', '+', '25', '1'],
      ['×3', '+', '15', '1'],
      ['+', 'end f', '40', '1'],
    ]);
  });

  it('shares wires between outputs and labels each gradient by its output', async () => {
    expect(await wiresOf('q = 2*x; a = q^2; b = q + y', 'x=1', 'y=7')).toEqual([
      ['x', '×2', '1', 'a: 8|b: 2'],
      ['×2', 'dot', 'q = 2', 'a: 4|b: 1'],
      ['dot', '^2', '', 'a: 4'],
      ['^2', 'end a', '4', 'a: 1'],
      ['dot', '+', '', 'b: 1'],
      ['y', '+', '7', 'b: 1'],
      ['+', 'end b', '9', 'b: 1'],
    ]);
  });

  it('shows matrices row by row, summarises large tensors, and gives constants no gradient', async () => {
    const wires = await wiresOf('W * [1, 2, 3, 4, 5]', 'W=[[1,2,3,4,5],[10,20,30,40,50]]');
    expect(wires).toEqual([
      ['W', 'matmul', '[2, 5]|mean |·| 16.5|1  2 …', '[2, 5]|mean |·| 3|1  2 …'],
      ['[1, 2, 3, 4, 5]', 'matmul', '[5]|mean |·| 3|1  2 …', ''],
      ['matmul', 'end f', '\u200755|550', '1|1'],
    ]);
  });
});
