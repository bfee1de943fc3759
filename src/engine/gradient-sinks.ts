import type { Backend, Sink, Tensor, WritingSink } from '../backends/backend.ts';
import type { BackwardPath, GateInput, TapeEntry } from './backward-path.ts';
import type { Wire } from './wire.ts';

/** What a backward pass needs of its graph. */
interface Tensors<Entry> {
  gradientOf(wire: Wire): Tensor;
  inputsOf(entry: Entry): Readonly<Record<string, Tensor>>;
}

/** Decides where each gradient of a backward pass goes. */
export class GradientSinks<Entry extends TapeEntry<B>, B extends Backend> {
  readonly #path: BackwardPath<Entry>;
  readonly #sinks: ReadonlyMap<Wire, WritingSink>;
  readonly #tensors: Tensors<Entry>;
  readonly #stored = new Set<Wire>();
  readonly #passedOn = new Set<Wire>();

  /** @param sinks of parameters. */
  constructor(path: BackwardPath<Entry>, sinks: ReadonlyMap<Wire, WritingSink>, tensors: Tensors<Entry>) {
    this.#path = path;
    this.#sinks = sinks;
    this.#tensors = tensors;
  }

  /** Whether the gradient of the wire is stored. */
  isStored(wire: Wire): boolean {
    return this.#stored.has(wire);
  }

  /** Whether the gradient of the wire has gone on through the gate that computed the wire. */
  isPassedOn(wire: Wire): boolean {
    return this.#passedOn.has(wire);
  }

  /** The sinks for the gradients of a gate's inputs, in the order in which they are computed. */
  of(inputs: readonly GateInput[]): Sink[] {
    return inputs.map(([, wire], i) => this.#throughGate(wire) ?? this.#writing(wire, i === inputs.length - 1));
  }

  /** A sink through the gate that computed the wire, if it passes gradients on and this one is complete. Without sinks of
   *  parameters all gradients are stored, for people to look at. */
  #throughGate(wire: Wire): Sink | undefined {
    const step = this.#path.stepOf.get(wire);
    const { passOn } = step?.entry.gate ?? {};
    if (!step || !passOn || this.#sinks.size === 0 || this.#path.uses.get(wire) !== 1) return undefined;
    this.#passedOn.add(wire);
    const { entry, inputs } = step;
    const into = inputs.map(([name, input], i) => [name, this.#writing(input, i === inputs.length - 1)]);
    return passOn(this.#tensors.inputsOf(entry), wire.tensor, Object.fromEntries(into));
  }

  #writing(wire: Wire, isLast: boolean): WritingSink {
    const sink = this.#sinks.get(wire);
    // An update changes the parameter, and the other gradients need its old value.
    if (sink && isLast && this.#path.uses.get(wire) === 1) return sink;
    const kind = this.#stored.has(wire) ? 'add' : 'store';
    this.#stored.add(wire);
    return { kind, tensor: this.#tensors.gradientOf(wire) };
  }
}
