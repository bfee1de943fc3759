import type { Backend, Tensor } from '../backends/backend.ts';
import type { Gate } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import { hash32 } from '../random.ts';

/** A number for the sides of all its kinks on which a gate is; another side gives, almost surely, another number. */
export async function winnersOf(
  backend: Backend,
  gate: Gate,
  inputs: Readonly<Record<string, Tensor>>,
  output: Tensor,
): Promise<number> {
  let [hash, index] = [0, 0];
  for (const side of (await gate.kinkSides?.(backend, inputs, output)) ?? []) {
    index++;
    if (side) hash = (hash + hash32(index)) >>> 0;
  }
  return hash;
}

/** The same for all gates of a graph, at the values of its last forward pass.
 *  Source: CS231n notes, "Neural Networks 3" (kinks: the identities of the winners). */
export async function winnersOfGraph({ backend, tape }: Graph): Promise<number> {
  let winners = 0;
  for (const { gate, inputs, output } of tape) {
    const tensors = Object.fromEntries(Object.entries(inputs).map(([name, { tensor }]) => [name, tensor]));
    winners = hash32(winners ^ (await winnersOf(backend, gate, tensors, output.tensor)));
  }
  return winners;
}
