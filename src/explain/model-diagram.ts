import { sizeOf } from '../backends/backend.ts';
import type { Diagram, DiagramNode, DiagramWire } from '../drawing/diagram.ts';
import { integer, plural } from '../format.ts';
import type { ModelExplanation, WireStatistics } from './model-graph.ts';

/** Draws the training graph, with the shape and mean |value| above each wire and the mean |gradient| below it. The key of a wire
 *  is its name in the explanation. */
export function modelDiagram({ wires, gates, hidden }: ModelExplanation, title: string): Diagram {
  const leaves = wires.filter(({ kind }) => kind !== 'value');
  const wireOf = (name: string) => wires.find((wire) => wire.name === name)!;
  const isEnd = (name: string) => !gates.some(({ inputs }) => inputs.includes(name));
  const nodes: DiagramNode[] = [
    ...leaves.map(({ name, kind, shape }) => ({
      id: name,
      kind: 'leaf' as const,
      label: name,
      details: kind === 'parameter' ? [`${plural(sizeOf(shape), 'parameter')}`] : [],
    })),
    ...gates.map(({ gate, output }) => ({
      id: output,
      kind: 'gate' as const,
      label: gate,
      details:
        output === 'hidden' && hidden ? [`${integer(hidden.deadUnits)} of ${integer(hidden.units)} units dead`] : [],
    })),
    ...gates
      .filter(({ output }) => isEnd(output))
      .map(({ output }) => ({ id: `end of ${output}`, kind: 'output' as const, label: output })),
  ];
  const drawn: DiagramWire[] = gates.flatMap(({ inputs, output }) => [
    ...inputs.map((name) => ({ from: name, to: output, key: name, ...textOf(wireOf(name)) })),
    ...(isEnd(output) ? [{ from: output, to: `end of ${output}`, key: output, ...textOf(wireOf(output)) }] : []),
  ]);
  return { title, nodes, wires: drawn };
}

function textOf({ shape, meanValue, meanGradient }: WireStatistics): Pick<DiagramWire, 'value' | 'gradient'> {
  const mean = (what: string, value: number | null) => (value === null ? [] : [`mean |${what}| ${short(value)}`]);
  return shape.length === 0
    ? { value: [short(meanValue!)], gradient: [short(meanGradient!)] }
    : { value: [`[${shape.join(', ')}]`, ...mean('value', meanValue)], gradient: mean('gradient', meanGradient) };
}

/** Formats a number with three significant digits. */
export function short(value: number): string {
  return value !== 0 && (value < 1e-3 || value >= 1e4) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
