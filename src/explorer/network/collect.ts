import { layOut } from '../../drawing/layout.ts';
import type { ModelExplanation } from '../../explain/model-graph.ts';
import type { Model, ModelConfig } from '../../models/model.ts';
import { narrowDiagram } from './diagram.ts';
import { examplesOf } from './examples.ts';
import type { NetworkData } from './network-data.ts';
import { networkWires } from './wires.ts';

/** Collects what a page of a network shows: of each wire the numbers that `explainModel` left on it, and of some images of the
 *  batch the scores, the loss and the gradients by the pixels. */
export async function collectNetwork(
  model: Model,
  config: ModelConfig,
  explanation: ModelExplanation,
  about: Pick<NetworkData, 'generator' | 'title' | 'facts' | 'classes'>,
): Promise<NetworkData> {
  const diagram = narrowDiagram(explanation, about.title);
  return {
    ...about,
    loss: config.loss,
    batchSize: explanation.batchSize,
    layout: await layOut(diagram, { direction: 'down', leavesAtGates: true }),
    gates: explanation.gates,
    wires: await networkWires(model, config, explanation),
    examples: await examplesOf(model, config),
  };
}
