import {
  type Backend,
  type DType,
  expectShape,
  type Shape,
  ShapeError,
  type Tensor,
  type WritingSink,
} from '../backends/backend.ts';
import { type BackwardPath, findBackwardPath, type TapeEntry } from './backward-path.ts';
import type { Gate, Pass } from './gate.ts';
import { GradientSinks } from './gradient-sinks.ts';
import { Wire, type WireTensors } from './wire.ts';

interface Entry<B extends Backend> extends TapeEntry<B> {
  /** The inputs' tensors at the current batch size; undefined until first used. */
  tensors: Readonly<Record<string, Tensor>> | undefined;
}

/** A computational graph: gates in the order in which they were applied (the tape), and the values on the wires.
 *
 *  Memory is allocated once, for batches of up to `capacity` images; a smaller batch uses its first rows. */
export class Graph<B extends Backend = Backend> implements WireTensors {
  readonly backend: B;
  readonly capacity: number;
  readonly #tape: Entry<B>[] = [];
  readonly #wires: Wire[] = [];
  /** Tensors at full capacity. */
  readonly #values = new Map<Wire, Tensor>();
  readonly #gradients = new Map<Wire, Tensor>();
  /** Wires with one row per image. */
  readonly #batched = new Set<Wire>();
  /** Views of the first rows, at the current batch size; empty at full capacity. */
  #views = new Map<Tensor, Tensor>();
  /** By loss. A path depends only on the tape. */
  readonly #backwardPaths = new Map<Wire, BackwardPath<Entry<B>>>();
  #batchSize: number;
  #pass: Pass = { training: false, key: 0 };

  /** @param capacity the largest batch size B. */
  constructor(backend: B, capacity: number) {
    this.backend = backend;
    this.capacity = capacity;
    this.#batchSize = capacity;
  }

  /** Adds a leaf with one row of `rowShape` per image: [B, …rowShape]. It gets no gradient. */
  input(name: string, rowShape: Shape, dtype?: DType): Wire {
    const wire = this.#addWire(name, [this.capacity, ...rowShape], { dtype });
    this.#batched.add(wire);
    return wire;
  }

  /** Adds a trainable leaf. @param matrices see Wire. */
  parameter(name: string, shape: Shape, matrices = 0): Wire {
    return this.#addWire(name, shape, { isParameter: true, matrices });
  }

  /** Adds a leaf that is not trained: one value for the whole batch, without a gradient. */
  constant(name: string, shape: Shape): Wire {
    return this.#addWire(name, shape, {});
  }

  /** The trainable leaves, in the order in which they were added. */
  get parameters(): readonly Wire[] {
    return this.#wires.filter((wire) => wire.isParameter);
  }

  /** The gates in the order in which they were applied. */
  get tape(): readonly TapeEntry<B>[] {
    return this.#tape;
  }

  /** Appends a gate to the tape and returns its output. @throws ShapeError if the shapes of the inputs do not match. */
  apply<Name extends string>(
    gate: Gate<Name, B>,
    inputs: Readonly<Record<Name, Wire>>,
    name: string = gate.name,
  ): Wire {
    const shape = gate.shape(mapValues(inputs, (wire) => this.#shapeWith(wire, 0)));
    const wires: Wire[] = Object.values(inputs);
    const output = this.#addWire(name, shape, {
      dtype: gate.dtype?.(mapValues(inputs, (wire) => wire.tensor.dtype)),
      needsGradient: wires.some((wire) => wire.needsGradient),
    });
    if (shape.length > 0) {
      // The output has one row per image if a larger batch would give it more rows.
      const shapeOfMore = gate.shape(mapValues(inputs, (wire) => this.#shapeWith(wire, 1)));
      if (shapeOfMore[0] !== shape[0]) this.#batched.add(output);
    }
    this.#tape.push({ gate, inputs, output, tensors: undefined });
    this.#backwardPaths.clear();
    return output;
  }

  /** B, the number of images in the current batch; the capacity at first. */
  get batchSize(): number {
    return this.#batchSize;
  }

  /** Uses the first B rows of every batched value from now on. @throws ShapeError if B is not between 1 and the capacity. */
  set batchSize(B: number) {
    if (B === this.#batchSize) return;
    if (B < 1 || B > this.capacity) {
      throw new ShapeError(`a batch of ${B} images does not fit this graph: it takes 1 to ${this.capacity}`);
    }
    this.#batchSize = B;
    this.#views = new Map();
    for (const entry of this.#tape) entry.tensors = undefined;
  }

  /** Computes every value from the leaves, in tape order. */
  forward(pass: Pass = { training: false, key: 0 }): void {
    this.#pass = pass;
    for (const entry of this.#tape) {
      entry.gate.forward(this.backend, this.#tensorsOf(entry), entry.output.tensor, this.#passOf(entry));
    }
  }

  /** Backpropagation: computes the gradient of a loss with respect to every parameter that it depends on, at the values of
   *  the last forward pass.
   *
   *  Each parameter's gradient goes to its sink in `sinks`, or is stored (`wire.gradient`) if it has none. This is the only
   *  place where gradients are added up: if a value fans out to several gates, their gradients are summed in one tensor.
   *  With sinks, a gradient that a gate passes on (`Gate.passOn`) is not stored.
   *
   *  @param upstream the gradient to start from, of the shape of `loss`. A scalar loss needs none: it is 1. With one, `loss`
   *  may be any wire y, and the result is the gradient of the scalar Σ upstream ⊙ y.
   *  @throws ShapeError if `loss` is not a scalar and `upstream` is missing or of another size. */
  backward(loss: Wire, sinks: ReadonlyMap<Wire, WritingSink> = new Map(), upstream?: ArrayLike<number>): void {
    if (!upstream) expectShape(`the loss '${loss.name}'`, loss.shape, []);
    const path = this.#backwardPathOf(loss);
    const gradientSinks = new GradientSinks(path, sinks, {
      gradientOf: (wire) => this.#allocatedGradient(wire),
      inputsOf: (entry) => this.#tensorsOf(entry),
    });
    this.backend.write(this.#allocatedGradient(loss), upstream ?? [1]);
    for (const { entry, inputs } of path.steps) {
      if (gradientSinks.isPassedOn(entry.output)) continue;
      const gradients = entry.gate.backward(this.backend, {
        inputs: this.#tensorsOf(entry),
        output: entry.output.tensor,
        upstream: entry.output.gradient,
        pass: this.#passOf(entry),
      });
      for (const [i, into] of gradientSinks.of(inputs).entries()) gradients[inputs[i][0]]!(into);
    }
    for (const [wire, sink] of sinks) if (gradientSinks.isStored(wire)) this.backend.deliver(wire.gradient, sink);
  }

  /** The value of a wire, at the current batch size. */
  valueOf(wire: Wire): Tensor {
    return this.#atBatchSize(wire, this.#values.get(wire)!);
  }

  /** The stored gradient of a wire, at the current batch size. @throws Error if none has been stored. */
  gradientOf(wire: Wire): Tensor {
    const gradient = this.#gradients.get(wire);
    if (!gradient) throw new Error(`'${wire.name}' has no stored gradient; call backward first`);
    return this.#atBatchSize(wire, gradient);
  }

  #addWire(
    name: string,
    shape: Shape,
    {
      dtype,
      isParameter = false,
      needsGradient = isParameter,
      matrices = 0,
    }: {
      dtype?: DType | undefined;
      isParameter?: boolean;
      needsGradient?: boolean;
      matrices?: number;
    },
  ): Wire {
    const wire = new Wire(this, { name, needsGradient, isParameter, matrices });
    this.#wires.push(wire);
    this.#values.set(wire, this.backend.allocate(shape, dtype));
    return wire;
  }

  /** The shape that a wire would have at a capacity of `extra` more images. */
  #shapeWith(wire: Wire, extra: number): Shape {
    const { shape } = this.#values.get(wire)!;
    return this.#batched.has(wire) ? [shape[0] + extra, ...shape.slice(1)] : shape;
  }

  #allocatedGradient(wire: Wire): Tensor {
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

  /** Each gate gets its own key, so that two dropout gates draw different masks. */
  #passOf(entry: Entry<B>): Pass {
    return { training: this.#pass.training, key: (this.#pass.key + this.#tape.indexOf(entry)) >>> 0 };
  }

  #tensorsOf(entry: Entry<B>): Readonly<Record<string, Tensor>> {
    entry.tensors ??= mapValues(entry.inputs, (wire) => wire.tensor);
    return entry.tensors;
  }

  #backwardPathOf(loss: Wire): BackwardPath<Entry<B>> {
    let path = this.#backwardPaths.get(loss);
    if (!path) {
      path = findBackwardPath(this.#tape, loss);
      this.#backwardPaths.set(loss, path);
    }
    return path;
  }
}

function mapValues<Name extends string, A, B>(
  record: Readonly<Record<Name, A>>,
  change: (value: A) => B,
): Record<Name, B> {
  const entries = Object.entries(record) as [Name, A][];
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)])) as Record<Name, B>;
}
