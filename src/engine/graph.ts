import {
  type Backend,
  type DType,
  expectShape,
  type Shape,
  ShapeError,
  type Sink,
  sizeOf,
  type Tensor,
} from '../backends/backend.ts';
import type { Gate, Pass } from './gate.ts';

/** What a wire asks its graph for. */
interface Values {
  valueOf(wire: Wire): Tensor;
  gradientOf(wire: Wire): Tensor;
}

/** A value of the graph: an input, a parameter or the output of a gate. */
export class Wire {
  readonly name: string;
  /** Whether a gradient flows here: a parameter, or whatever depends on one. */
  readonly needsGradient: boolean;
  readonly isParameter: boolean;
  readonly #graph: Values;

  constructor(graph: Values, name: string, needsGradient: boolean, isParameter: boolean) {
    this.#graph = graph;
    this.name = name;
    this.needsGradient = needsGradient;
    this.isParameter = isParameter;
  }

  /** Its values, at the graph's present batch size. */
  get tensor(): Tensor {
    return this.#graph.valueOf(this);
  }

  /** Its gradient, once the graph has stored one by going backward. */
  get gradient(): Tensor {
    return this.#graph.gradientOf(this);
  }

  get shape(): Shape {
    return this.tensor.shape;
  }
}

/** One application of a gate. */
export interface TapeEntry<B extends Backend = Backend> {
  readonly gate: Gate<string, B>;
  readonly inputs: Readonly<Record<string, Wire>>;
  readonly output: Wire;
}

interface Entry<B extends Backend> extends TapeEntry<B> {
  /** The values of the inputs at the present batch size, once they were asked for. */
  tensors: Readonly<Record<string, Tensor>> | undefined;
}

/** The way back from a loss. It depends on the tape alone, and is found once. */
interface Path<B extends Backend> {
  /** From the loss to the leaves, each entry with the inputs that get a gradient, in their order. */
  readonly steps: readonly {
    readonly entry: Entry<B>;
    readonly wires: readonly (readonly [name: string, wire: Wire])[];
  }[];
  /** How often each wire is an input of one of them. */
  readonly uses: ReadonlyMap<Wire, number>;
}

/** A computational graph: gates in the order in which they were applied (the tape), and the values on the wires.
 *
 *  Memory is set aside once, for batches of up to `capacity` images; a smaller batch uses the first rows of it. */
export class Graph<B extends Backend = Backend> implements Values {
  readonly backend: B;
  readonly capacity: number;
  readonly #tape: Entry<B>[] = [];
  readonly #wires: Wire[] = [];
  /** Tensors at full capacity, and which wires have one row for each image. */
  readonly #values = new Map<Wire, Tensor>();
  readonly #gradients = new Map<Wire, Tensor>();
  readonly #batched = new Set<Wire>();
  /** Views on the first rows, for the present batch size; empty at full capacity. */
  #views = new Map<Tensor, Tensor>();
  readonly #paths = new Map<Wire, Path<B>>();
  #batchSize: number;
  #pass: Pass = { training: false, key: 0 };

  /** @param capacity the largest batch size B. */
  constructor(backend: B, capacity: number) {
    this.backend = backend;
    this.capacity = capacity;
    this.#batchSize = capacity;
  }

  /** A leaf with one row of `rowShape` for each image: [B, …rowShape]. It gets no gradient. */
  input(name: string, rowShape: Shape, dtype?: DType): Wire {
    const wire = this.#wire(name, [this.capacity, ...rowShape], { dtype });
    this.#batched.add(wire);
    return wire;
  }

  /** A leaf that learns. */
  parameter(name: string, shape: Shape): Wire {
    return this.#wire(name, shape, { isParameter: true });
  }

  /** A leaf that stays as it is: one value for the whole batch, and no gradient. */
  constant(name: string, shape: Shape): Wire {
    return this.#wire(name, shape, {});
  }

  get parameters(): readonly Wire[] {
    return this.#wires.filter((wire) => wire.isParameter);
  }

  /** The gates in the order in which they were applied. */
  get tape(): readonly TapeEntry<B>[] {
    return this.#tape;
  }

  /** Puts a gate on the tape. @throws ShapeError if the inputs do not fit it. */
  apply<Name extends string>(
    gate: Gate<Name, B>,
    inputs: Readonly<Record<Name, Wire>>,
    name: string = gate.name,
  ): Wire {
    const shape = gate.shape(mapValues(inputs, (wire) => this.#shapeWith(wire, 0)));
    const wires: Wire[] = Object.values(inputs);
    const output = this.#wire(name, shape, { needsGradient: wires.some((wire) => wire.needsGradient) });
    if (shape.length > 0) {
      const shapeOfMore = gate.shape(mapValues(inputs, (wire) => this.#shapeWith(wire, 1)));
      if (shapeOfMore[0] !== shape[0]) this.#batched.add(output);
    }
    this.#tape.push({ gate, inputs, output, tensors: undefined });
    this.#paths.clear();
    return output;
  }

  get batchSize(): number {
    return this.#batchSize;
  }

  /** Uses the first B rows of every batched value from now on. @throws ShapeError beyond the capacity. */
  set batchSize(B: number) {
    if (B === this.#batchSize) return;
    if (B < 1 || B > this.capacity) throw new ShapeError(`a batch of ${B} images in a graph for 1 to ${this.capacity}`);
    this.#batchSize = B;
    this.#views = new Map();
    for (const entry of this.#tape) entry.tensors = undefined;
  }

  /** Computes every value from the leaves, in the order of the tape. */
  forward(pass: Pass = { training: false, key: 0 }): void {
    this.#pass = pass;
    for (const entry of this.#tape) {
      entry.gate.forward(this.backend, this.#tensorsOf(entry), entry.output.tensor, this.#passAt(entry));
    }
  }

  /** Computes the gradient of a loss by every parameter that it depends on, for the values that the last forward pass
   *  left: backpropagation.
   *
   *  Each parameter's gradient goes to the sink given for it, or else is stored (`wire.gradient`). This is the only place
   *  where gradients are added up: where a value fans out to several gates, their gradients meet in one tensor.
   *
   *  @param upstream the gradient to begin with, of the shape of `loss`. A scalar loss needs none: it is 1. With one, `loss`
   *  may be any wire y, and what comes out is the gradient of the number Σ upstream ⊙ y.
   *  @throws ShapeError if `loss` is no scalar and there is no upstream gradient, or not one of its size. */
  backward(loss: Wire, sinks: ReadonlyMap<Wire, Sink> = new Map(), upstream?: ArrayLike<number>): void {
    if (!upstream) expectShape(`the loss '${loss.name}'`, loss.shape, []);
    const { steps, uses } = this.#pathTo(loss);
    const begun = new Set<Wire>();

    const sinkFor = (wire: Wire, isLast: boolean): Sink => {
      const sink = sinks.get(wire);
      if (sink && isLast && uses.get(wire) === 1) return sink;
      const kind = begun.has(wire) ? 'add' : 'store';
      begun.add(wire);
      return { kind, tensor: this.#makeGradient(wire) };
    };

    this.backend.write(this.#makeGradient(loss), upstream ?? [1]);
    for (const { entry, wires } of steps) {
      const gradients = entry.gate.backward(this.backend, {
        inputs: this.#tensorsOf(entry),
        output: entry.output.tensor,
        upstream: entry.output.gradient,
        pass: this.#passAt(entry),
      });
      for (const [i, [name, wire]] of wires.entries()) gradients[name]!(sinkFor(wire, i === wires.length - 1));
    }
    for (const [wire, sink] of sinks) if (begun.has(wire)) this.backend.deliver(wire.gradient, sink);
  }

  /** The values of a wire, at the present batch size. */
  valueOf(wire: Wire): Tensor {
    return this.#atBatchSize(wire, this.#values.get(wire)!);
  }

  /** @throws Error if no gradient has been stored for the wire. */
  gradientOf(wire: Wire): Tensor {
    const gradient = this.#gradients.get(wire);
    if (!gradient) throw new Error(`no gradient of '${wire.name}' has been stored; call backward first`);
    return this.#atBatchSize(wire, gradient);
  }

  #wire(
    name: string,
    shape: Shape,
    {
      dtype,
      isParameter = false,
      needsGradient = isParameter,
    }: {
      dtype?: DType | undefined;
      isParameter?: boolean;
      needsGradient?: boolean;
    },
  ): Wire {
    const wire = new Wire(this, name, needsGradient, isParameter);
    this.#wires.push(wire);
    this.#values.set(wire, this.backend.allocate(shape, dtype));
    return wire;
  }

  /** The shape of a wire if the batch had `more` images than the capacity. */
  #shapeWith(wire: Wire, more: number): Shape {
    const { shape } = this.#values.get(wire)!;
    return this.#batched.has(wire) ? [shape[0] + more, ...shape.slice(1)] : shape;
  }

  #makeGradient(wire: Wire): Tensor {
    if (!this.#gradients.has(wire)) {
      this.#gradients.set(wire, this.backend.allocate(this.#values.get(wire)!.shape));
    }
    return wire.gradient;
  }

  #atBatchSize(wire: Wire, tensor: Tensor): Tensor {
    if (this.#batchSize === this.capacity || !this.#batched.has(wire)) return tensor;
    let view = this.#views.get(tensor);
    if (!view) {
      view = this.backend.view(tensor, this.#batchSize);
      this.#views.set(tensor, view);
    }
    return view;
  }

  /** Every gate draws from a key of its own, so that two dropout gates have two masks. */
  #passAt(entry: Entry<B>): Pass {
    return { training: this.#pass.training, key: (this.#pass.key + this.#tape.indexOf(entry)) >>> 0 };
  }

  #tensorsOf(entry: Entry<B>): Readonly<Record<string, Tensor>> {
    entry.tensors ??= mapValues(entry.inputs, (wire) => wire.tensor);
    return entry.tensors;
  }

  /** The entries that the loss depends on and that lead to a parameter. */
  #pathTo(loss: Wire): Path<B> {
    const found = this.#paths.get(loss);
    if (found) return found;
    const wanted = new Set([loss]);
    const uses = new Map<Wire, number>();
    const steps: Path<B>['steps'][number][] = [];
    for (const entry of this.#tape.toReversed()) {
      if (!wanted.has(entry.output) || !entry.output.needsGradient) continue;
      for (const wire of Object.values(entry.inputs)) wanted.add(wire);
      const wires = differentiable(entry);
      for (const [, wire] of wires) uses.set(wire, (uses.get(wire) ?? 0) + 1);
      steps.push({ entry, wires });
    }
    const path = { steps, uses };
    this.#paths.set(loss, path);
    return path;
  }
}

/** The inputs of an entry that need a gradient, the largest parameter last. Only that one's sink may act on the spot: it
 *  can change the parameter, and the gradients of the other inputs need its old value. The others are stored first, which
 *  costs little, and handed to their sinks at the end. */
function differentiable(entry: TapeEntry): [name: string, wire: Wire][] {
  const rank = ({ isParameter, shape }: Wire) => (isParameter ? sizeOf(shape) : -1);
  return Object.entries(entry.inputs)
    .filter(([, wire]) => wire.needsGradient)
    .sort(([, a], [, b]) => rank(a) - rank(b));
}

function mapValues<Name extends string, A, B>(
  record: Readonly<Record<Name, A>>,
  change: (value: A) => B,
): Record<Name, B> {
  const entries = Object.entries(record) as [Name, A][];
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)])) as Record<Name, B>;
}
