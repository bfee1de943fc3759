import type { Diagram, DiagramWire } from '../../drawing/diagram.ts';
import { modelDiagram } from '../../explain/model-diagram.ts';
import type { ModelExplanation } from '../../explain/model-graph.ts';
import { memory } from '../../format.ts';
import { short } from './number.ts';

/** The training graph with short texts, for a drawing that fits a phone: shape, memory and mean |value|; mean |gradient|. */
export function narrowDiagram(explanation: ModelExplanation, title: string): Diagram {
  const { nodes, wires } = modelDiagram(explanation, title);
  const { wires: statistics, gates } = explanation;
  const isMain = ({ from, to }: DiagramWire) =>
    gates.find(({ output }) => output === to)?.inputs[0] === from || to.startsWith('end of ');
  return {
    title,
    nodes: nodes.map((node) => (node.kind === 'leaf' ? { ...node, details: [] } : node)),
    wires: wires.map((wire) => {
      const { shape, bytes, meanValue, meanGradient } = statistics.find(({ name }) => name === wire.key)!;
      const mean = (value: number | null) => (value === null ? [] : [short(value)]);
      const size = shape.length === 0 ? [] : [`[${shape.join(', ')}]`, memory(bytes)];
      return {
        ...wire,
        value: [...size, ...mean(meanValue)],
        gradient: mean(meanGradient),
        isStraight: isMain(wire),
      };
    }),
  };
}
