import type { Backend, Tensor } from '../backends/backend.ts';
import type { Gate } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import { hash32 } from '../random.ts';

/** Hashes the sides of all kinks of a gate that its values lie on. Different sides almost surely give a different hash. */
export async function hashKinkSides(
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

/** Hashes the kink sides of all gates of a graph, at the values of its last forward pass.
 *  Source: CS231n notes, "Neural Networks 3" (kinks: the identities of the winners). */
export async function hashKinkSidesOfGraph({ backend, tape }: Graph): Promise<number> {
  let hash = 0;
  for (const { gate, inputs, output } of tape) {
    const tensors = Object.fromEntries(Object.entries(inputs).map(([name, { tensor }]) => [name, tensor]));
    hash = hash32(hash ^ (await hashKinkSides(backend, gate, tensors, output.tensor)));
  }
  return hash;
}
