import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const [FILES, RECORDS, D] = [5, 10_000, 3072];

/** The 50,000 training images, as bytes in shared memory, and how long it took to read them. */
export function readTrainingSet(folder) {
  const started = performance.now();
  const images = new Uint8Array(new SharedArrayBuffer(FILES * RECORDS * D));
  const labels = new Uint8Array(new SharedArrayBuffer(FILES * RECORDS));
  const records = new Uint8Array(RECORDS * (1 + D));
  for (let file = 0, row = 0; file < FILES; file++) {
    const handle = openSync(join(folder, `data_batch_${file + 1}.bin`));
    if (readSync(handle, records, 0, records.length, 0) !== records.length) throw new Error(`${folder}: a short file`);
    closeSync(handle);
    for (let at = 0; at < records.length; at += 1 + D, row++) {
      labels[row] = records[at];
      images.set(records.subarray(at + 1, at + 1 + D), row * D);
    }
  }
  return { images, labels, seconds: (performance.now() - started) / 1000 };
}

/** Endless batches of row numbers, reshuffled for each epoch; incomplete batches are dropped. */
export function* shuffledBatches(count, batch) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  while (true) {
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (let at = 0; at + batch <= count; at += batch) yield order.subarray(at, at + batch);
  }
}

/** Gathers a batch into JavaScript arrays, with `images` as (p − 128)/64. */
export function gather(set, indices, images, labels) {
  for (let b = 0; b < indices.length; b++) {
    const from = indices[b] * D;
    const to = b * D;
    for (let i = 0; i < D; i++) images[to + i] = (set.images[from + i] - 128) / 64;
    labels[b] = set.labels[indices[b]];
  }
}

/** Shapes of the parameters and the standard deviations of their initial values: He, a tenth of it for the last layer. */
export function parameterShapes({ model, hidden }) {
  const he = (fanIn) => Math.sqrt(2 / fanIn);
  if (model === 'linear') return [{ out: 10, in: D, deviation: 0.1 * he(D) }];
  return [
    { out: hidden, in: D, deviation: he(D) },
    { out: 10, in: hidden, deviation: 0.1 * he(hidden) },
  ];
}

export function normals(length, deviation) {
  const value = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Float32Array.from({ length }, () => deviation * value());
}
