import type { Backend, Tensor } from '../backends/backend.ts';
import { hash32 } from '../random.ts';
import type { Graph, TapeEntry } from './graph.ts';

/** For the gates whose derivative jumps, by name: on which side of each kink they are, true or false for each. */
const SIDES: Readonly<Record<string, (backend: Backend, values: GateValues) => Promise<Iterable<boolean>>>> = {
  relu: signs,
  'leaky-relu': signs,
  hinge: async (backend, { inputs: { logits, labels } }) => {
    const [scores, rows] = [await backend.read(logits), await backend.read(labels)];
    const C = scores.length / rows.length;
    return Array.from(scores, (score, i) => {
      const [b, c] = [Math.floor(i / C), i % C];
      return c !== rows[b] && score - scores[b * C + rows[b]] + 1 > 0;
    });
  },
};

interface GateValues {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly output: Tensor;
}

async function signs(backend: Backend, { output }: GateValues): Promise<boolean[]> {
  return Array.from(await backend.read(output), (y) => y > 0);
}

/** A number for the sides of all its kinks on which a gate is; another side gives, almost surely, another number. */
export async function winnersOf(backend: Backend, { gate }: TapeEntry, values: GateValues): Promise<number> {
  let [hash, index] = [0, 0];
  for (const side of (await SIDES[gate.name]?.(backend, values)) ?? []) {
    index++;
    if (side) hash = (hash + hash32(index)) >>> 0;
  }
  return hash;
}

/** The same for all gates of a graph, at the values of its last forward pass.
 *  Source: CS231n notes, "Neural Networks 3" (kinks: the identities of the winners). */
export async function winnersOfGraph({ backend, tape }: Graph): Promise<number> {
  let winners = 0;
  for (const entry of tape) {
    if (!Object.hasOwn(SIDES, entry.gate.name)) continue;
    const inputs = Object.fromEntries(Object.entries(entry.inputs).map(([name, { tensor }]) => [name, tensor]));
    winners = hash32(winners ^ (await winnersOf(backend, entry, { inputs, output: entry.output.tensor })));
  }
  return winners;
}
