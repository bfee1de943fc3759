import { IMAGE_BYTES } from '../../images.ts';
import { type Activation, type Backend, type Precision, sizeOf, type Tensor, type WritingSink } from '../backend.ts';
import { ReferenceBackend } from '../reference/reference.ts';
import { EXAMPLE_RULES } from '../update-rules.ts';
import type { WasmBackend } from './wasm.ts';

// Runs a few small operations that together use every kernel, and compares them with the reference backend, because an
// experimental feature of the engine may compute wrong results.

const [B, H, C, D] = [3, 7, 10, IMAGE_BYTES];
const TOLERANCE = 1e-5;

type Results = ReadonlyMap<string, ArrayLike<number>>;

const knownResults = new Map<Precision, Promise<Results>>();

/** The correct results. They are computed once, as every kind of tiles is compared with them. */
export function expectedResults(precision: Precision): Promise<Results> {
  const results = knownResults.get(precision) ?? resultsOf(new ReferenceBackend('float32', precision));
  knownResults.set(precision, results);
  return results;
}

/** Returns the name of the first operation with a wrong result; undefined if all are correct. */
export async function selfTest(backend: WasmBackend): Promise<string | undefined> {
  const [results, expected] = [await resultsOf(backend), await expectedResults(backend.precision)];
  return [...expected].find(([name, values]) => !agrees(results.get(name)!, values))?.[0];
}

function agrees(values: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  let [largest, error] = [1e-3, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    error = Math.max(error, Math.abs(values[i] - expected[i]));
  }
  // A NaN in either result makes this false.
  return error <= TOLERANCE * largest;
}

/** Sides of a receptive field, and the number of fields; units of a filter. */
const [FIELD, FIELDS, UNITS] = [{ size: 16, stride: 16, mirrored: true }, 4, 3];

/** The operations of units that see a part of the image. */
async function recordLocal(
  backend: Backend,
  {
    images,
    numbers,
    record,
  }: {
    images: Tensor;
    numbers(shape: number[], seed: number): Tensor;
    record(name: string, tensor: Tensor): Promise<unknown>;
  },
): Promise<void> {
  const output = (shape: number[]): WritingSink => ({ kind: 'store', tensor: backend.allocate(shape) });
  const fields = backend.allocate([B, D], 'pixel');
  backend.crop(images, FIELD, fields);
  await record('crop', fields);
  const [filters, gradient] = [output([B, FIELDS * H]), output([FIELDS * H, D / FIELDS])];
  const groups = { count: FIELDS, a: 'beside', b: 'stacked', into: 'beside' } as const;
  backend.matmul(fields, numbers([FIELDS * H, D / FIELDS], 8), filters, { transposeB: true, groups });
  await record('product of groups', filters.tensor);
  const units = backend.allocate([B, UNITS * FIELDS * H]);
  backend.multiBias(filters.tensor, numbers([UNITS * FIELDS * H], 9), units);
  await record('multi-bias', units);
  const [derivative, sums] = [output([B, FIELDS * H]), output([UNITS * FIELDS * H])];
  const upstream = numbers([B, UNITS * FIELDS * H], 10);
  backend.multiBiasDerivative(units, upstream, derivative);
  backend.sumRowsWherePositive(units, upstream, sums);
  await record('derivative of multi-bias', derivative.tensor);
  await record('sum of rows where positive', sums.tensor);
  for (const T of [2, 4]) {
    const [biases, outputs] = [numbers([T * FIELDS * H], 9), backend.allocate([B, T * FIELDS * H])];
    backend.multiBias(filters.tensor, biases, outputs);
    const [scores, weights] = [output([B, C]), output([C, T * FIELDS * H])];
    backend.matmul(outputs, numbers([C, T * FIELDS * H], 14), scores, { transposeB: true, bias: numbers([C], 15) });
    await record(`product of ${T} units`, scores.tensor);
    backend.matmul(numbers([B, C], 16), outputs, weights, { transposeA: true });
    await record(`product by ${T} units`, weights.tensor);
    const into = { x: output([B, FIELDS * H]), bias: output([T * FIELDS * H]) };
    const sink = { kind: 'multi-bias', tensor: outputs, x: filters.tensor, bias: biases, into } as const;
    backend.matmul(numbers([B, C], 12), numbers([C, T * FIELDS * H], 13), sink);
    await record(`product through ${T} units`, into.x.tensor);
    await record(`sums of a product through ${T} units`, into.bias.tensor);
  }
  const transposed = { transposeA: true, groups: { ...groups, b: 'beside', into: 'stacked' } } as const;
  backend.matmul(derivative.tensor, fields, gradient, transposed);
  await record('gradient of groups', gradient.tensor);
}

/** Newton–Schulz iterations: enough matrices, on up to 8 threads, for the kernel that computes one in each task. */
const GRAMS = { count: 32, size: 18 } as const;

async function resultsOf(backend: Backend): Promise<Results> {
  const results = new Map<string, ArrayLike<number>>();
  const record = async (name: string, tensor: Tensor) => results.set(name, await backend.read(tensor));
  const numbers = (shape: number[], seed: number) => {
    const tensor = backend.allocate(shape);
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = (((i + seed) * 40503) % 65521) / 32768 - 1;
    backend.write(tensor, values);
    return tensor;
  };
  const output = (shape: number[]): WritingSink => ({ kind: 'store', tensor: backend.allocate(shape) });

  const set = backend.imageSet(B);
  for (let i = 0; i < set.images.length; i++) set.images[i] = (i * 151 + (i >> 8)) & 255;
  set.labels.set([7, 0, 3]);
  const plan = {
    indices: Uint32Array.of(2, 0, 1),
    flip: Uint8Array.of(0, 1, 1),
    shiftX: Int8Array.of(3, -2, 0),
    shiftY: Int8Array.of(-1, 2, 0),
  };
  const [images, labels] = [backend.allocate([B, D], 'pixel'), backend.allocate([B], 'label')];
  backend.loadBatch(set, plan, images, labels);
  await record('load', images);

  const [weight, bias, hidden] = [numbers([H, D], 1), numbers([H], 2), output([B, H])];
  backend.matmul(images, weight, hidden, { transposeB: true, bias });
  await record('forward product', hidden.tensor);
  backend.matmul(images, weight, hidden, { transposeB: true, bias, exact: true });
  await record('exact forward product', hidden.tensor);
  const transposed = output([D, 8]);
  backend.matmul(images, numbers([B, 8], 17), transposed, { transposeA: true });
  await record('stored transposed product', transposed.tensor);
  for (const kind of ['relu', 'leaky-relu', 'sigmoid', 'tanh'] satisfies Activation[]) {
    const [active, gradient] = [backend.allocate([B, H]), output([B, H])];
    backend.activation(kind, numbers([B, H], 3), active);
    backend.activationDerivative(kind, active, hidden.tensor, gradient);
    await record(kind, active);
    await record(`derivative of ${kind}`, gradient.tensor);
  }

  await recordLocal(backend, { images, numbers, record });

  const upstream = numbers([B, H], 4);
  for (const rule of EXAMPLE_RULES) {
    const state = [numbers([H, D], 5), backend.allocate([H, D])];
    const updated = numbers([H, D], 6);
    backend.matmul(upstream, images, { kind: 'update', tensor: updated, rule, state }, { transposeA: true });
    await record(`update by ${rule.kind}`, updated);
    await record(`state of ${rule.kind}`, state[0]);
  }

  const [logits, loss, one] = [output([B, C]), backend.allocate([]), numbers([], 1)];
  backend.matmul(upstream, numbers([C, H], 7), logits, { transposeB: true });
  await record('product', logits.tensor);
  const square = output([H, H]);
  backend.matmul(upstream, numbers([B, H], 11), square, { transposeA: true, symmetric: true });
  await record('symmetric product', square.tensor);
  const { count, size } = GRAMS;
  const [grams, roots] = [backend.allocate([count * size, size]), backend.allocate([count * size, size])];
  const gram = (i: number) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return row % size === column ? row + size : 1 / (1 + (row % size) + column);
  };
  backend.write(
    grams,
    Float32Array.from({ length: count * size * size }, (_, i) => gram(i)),
  );
  backend.newtonSchulz(grams, count, { coefficients: [3.4445, -4.775, 2.0315], steps: 2 }, roots);
  await record('Newton–Schulz iterations', roots);
  const [sum, kept] = [output([H]), output([B, H])];
  backend.sumRows(upstream, sum);
  backend.dropout(upstream, 0.5, 9, kept);
  await record('sum of rows', sum.tensor);
  await record('dropout', kept.tensor);
  const [softmax, hinge] = [output([B, C]), output([B, C])];
  backend.softmaxCrossEntropyDerivative(logits.tensor, labels, 0.1, one, softmax);
  backend.hingeDerivative(logits.tensor, labels, one, hinge);
  await record('derivative of softmax', softmax.tensor);
  await record('derivative of hinge', hinge.tensor);
  backend.softmaxCrossEntropy(logits.tensor, labels, 0.1, loss);
  await record('softmax', loss);
  backend.hinge(logits.tensor, labels, loss);
  await record('hinge', loss);
  backend.countCorrect(logits.tensor, labels, loss);
  await record('count', loss);
  return results;
}
