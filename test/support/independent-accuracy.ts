import { readFileSync } from 'node:fs';
import path from 'node:path';

// An independent implementation of the published file formats and formulas that imports nothing from the project.

interface Matrix {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Computes test accuracy in float64 from a safetensors file and a folder's test_batch.bin alone.
 *  @param options.stride between the windows that the first layer sees; without it, one window is the image.
 *  @param options.mirror whether the scores of an image include those of its mirror image.
 *  @param options.views whose scores are added: 1, 2 (and mirrored) or 10 (both, and both a pixel up, down, left and right). */
export function independentAccuracy(weights: string, dataFolder: string, options?: Options): number {
  const { stride = 32, mirror = false, views = 1 } = options ?? {};
  const tensors = readTensors(weights);
  const records = readFileSync(path.join(dataFolder, 'test_batch.bin'));
  let correct = 0;
  for (let at = 0; at < records.length; at += 3073) {
    const image = Float64Array.from(records.subarray(at + 1, at + 3073), (byte) => (byte - 128) / 64);
    const sum = new Float64Array(10);
    const seen = [...viewsOf(image, views)].flatMap((view) => (mirror ? [...viewsOf(view, 2)] : [view]));
    for (const view of seen) {
      for (const [i, score] of scoresOf(tensors, stride, view).entries()) sum[i] += score;
    }
    if (sum.indexOf(Math.max(...sum)) === records[at]) correct++;
  }
  return correct / (records.length / 3073);
}

interface Options {
  readonly stride?: number;
  readonly mirror?: boolean;
  readonly views?: number;
}

function readTensors(name: string): (tensor: string) => Matrix {
  const file = readFileSync(name);
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd));
  const read = ({ shape, data_offsets }: { shape: number[]; data_offsets: number[] }) => {
    const at = (i: number) => file.readFloatLE(headerEnd + data_offsets[0] + 4 * i);
    return { shape, values: Float64Array.from({ length: (data_offsets[1] - data_offsets[0]) / 4 }, (_, i) => at(i)) };
  };
  const tensors = new Map(
    Object.entries(header)
      .filter(([key]) => key !== '__metadata__')
      .map(([key, entry]) => [key, read(entry as never)]),
  );
  return (tensor) => tensors.get(tensor) ?? { shape: [0, 0], values: new Float64Array() };
}

function* viewsOf(image: Float64Array, count: number): Generator<Float64Array> {
  const [DOWN, RIGHT] = [
    [0, -1, 1, 0, 0],
    [0, 0, 0, -1, 1],
  ];
  const inside = (i: number) => (i < 0 ? -i : i > 31 ? 62 - i : i);
  for (const isMirrored of count === 1 ? [false] : [false, true]) {
    for (let shift = 0; shift < (count === 10 ? 5 : 1); shift++) {
      yield image.map((_, i) => {
        const [plane, row, column] = [i >> 10, (i >> 5) & 31, i & 31];
        const x = inside((isMirrored ? 31 - column : column) + RIGHT[shift]);
        return image[plane * 1024 + inside(row + DOWN[shift]) * 32 + x];
      });
    }
  }
}

function scoresOf(tensors: (name: string) => Matrix, stride: number, image: Float64Array): Float64Array {
  const linear = tensors('linear.weight');
  if (linear.values.length > 0) return affine(linear, tensors('linear.bias').values, image);
  const [weight, bias] = [tensors('fc1.weight'), tensors('fc1.bias').values];
  const z = filtersOf(weight, stride, image);
  // One bias for each hidden unit: first those of relu(z + b), then of relu(−z + b), and so on alternately.
  const hidden = bias.map((b, unit) => {
    const sign = Math.floor(unit / z.length) % 2 === 0 ? 1 : -1;
    return Math.max(0, sign * z[unit % z.length] + b);
  });
  return affine(tensors('fc2.weight'), tensors('fc2.bias').values, hidden);
}

/** Products of each row of the weights with its own window; the windows go from left to right, then from top to bottom. */
function filtersOf({ shape, values }: Matrix, stride: number, image: Float64Array): Float64Array {
  const [rows, columns] = shape;
  const field = Math.sqrt(columns / 3);
  const across = Math.floor((32 - field) / stride) + 1;
  const filters = rows / across ** 2;
  return Float64Array.from({ length: rows }, (_, row) => {
    const window = Math.floor(row / filters);
    const [top, left] = [Math.floor(window / across) * stride, (window % across) * stride];
    let sum = 0;
    for (let plane = 0, k = row * columns; plane < 3; plane++) {
      for (let y = top; y < top + field; y++) {
        for (let x = left; x < left + field; x++, k++) sum += values[k] * image[plane * 1024 + y * 32 + x];
      }
    }
    return sum;
  });
}

function affine({ shape, values }: Matrix, bias: Float64Array, input: Float64Array): Float64Array {
  const [, columns] = shape;
  return bias.map((b, row) => {
    let sum = b;
    for (let k = 0; k < columns; k++) sum += values[row * columns + k] * input[k];
    return sum;
  });
}
