import { readFileSync } from 'node:fs';
import path from 'node:path';

// An independent implementation of the published file formats and formulas that imports nothing from the project.

/** Computes test accuracy in float64 from a run's last.safetensors and a folder's test_batch.bin alone. */
export function independentAccuracy(run: string, dataFolder: string): number {
  const file = readFileSync(path.join(run, 'last.safetensors'));
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd));
  const matrix = (name: string) => {
    const { shape, data_offsets } = header[name];
    const at = (i: number) => file.readFloatLE(headerEnd + data_offsets[0] + 4 * i);
    return { shape, values: Float64Array.from({ length: (data_offsets[1] - data_offsets[0]) / 4 }, (_, i) => at(i)) };
  };
  const layers = ('linear.weight' in header ? ['linear'] : ['fc1', 'fc2']).map((name) => ({
    weight: matrix(`${name}.weight`),
    bias: matrix(`${name}.bias`),
  }));

  const records = readFileSync(path.join(dataFolder, 'test_batch.bin'));
  let correct = 0;
  for (let at = 0; at < records.length; at += 3073) {
    let values = Float64Array.from(records.subarray(at + 1, at + 3073), (byte) => (byte - 128) / 64);
    for (const [i, { weight, bias }] of layers.entries()) {
      const [rows, columns] = weight.shape;
      const next = Float64Array.from(bias.values);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++)
          next[row] += weight.values[row * columns + column] * values[column];
      }
      values = i < layers.length - 1 ? next.map((value) => Math.max(0, value)) : next;
    }
    if (values.indexOf(Math.max(...values)) === records[at]) correct++;
  }
  return correct / (records.length / 3073);
}
