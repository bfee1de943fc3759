// A worker thread that claims and releases pages with the built program, beside others that do the same. Posts the number of
// claims that it made, and of pages that it got while another worker had them.
import { parentPort, workerData } from 'node:worker_threads';

const { pages, table, worker, rounds } = workerData;
/** @type {Int32Array} */
const owners = workerData.owners;
const { claim, claimAt, release } = await import(pages);
const counts = { claims: 0, taken: 0 };
for (let round = 0; round < rounds; round++) {
  const count = 1 + ((7 * round + worker) % 5);
  const place = (13 * round) % table.length;
  const first = round % 2 === 0 ? claim(table, count) : claimAt(table, place, count) ? place : undefined;
  if (first === undefined) continue;
  counts.claims++;
  for (let page = first; page < first + count; page++)
    counts.taken += Number(Atomics.exchange(owners, page, worker) !== 0);
  for (let page = first; page < first + count; page++) {
    counts.taken += Number(Atomics.exchange(owners, page, 0) !== worker);
  }
  release(table, first, count);
}
parentPort?.postMessage(counts);
