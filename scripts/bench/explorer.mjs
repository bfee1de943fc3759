// Measures how long a page to explore takes from a number typed until the graph is drawn anew, in headless Chromium: the
// computation of all values and gradients, the layout and the painting of the page. Prints a Markdown table:
//
//   npm run build && node scripts/bench/explorer.mjs
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { explorerHtml } from '../../dist/explorer/html.js';
import { describeMachine } from './table.mjs';

const [WARM_UP, EDITS] = [10, 60];

const matrix = (seed) =>
  Array.from({ length: 64 }, (_, i) => Array.from({ length: 64 }, (_, j) => Math.sin(seed + 64 * i + j)));

/** Graphs, by what is changed in them, and the most milliseconds that a redraw should take. */
const GRAPHS = [
  { what: 'product', leaf: 'x', wanted: 16 },
  { what: 'sigmoid', leaf: 'w0', wanted: 16 },
  { what: 'two-layer', leaf: 'fc1.weight', wanted: 16 },
  { what: 'elementwise-max', leaf: 'x', wanted: 16 },
  { what: 'linear', leaf: 'linear.weight', wanted: 16 },
  { what: 'norm2(W*x)', values: { W: matrix(0), x: matrix(1)[0] }, leaf: 'W', wanted: 50 },
  { what: 'norm2(A*B)', values: { A: matrix(0), B: matrix(1) }, leaf: 'A', wanted: 50 },
];

/** Types numbers into a field, one a frame. The time of each ends with the task after the frame, when it has been painted. */
const measure = (leaf) => `(async () => {
  while (!document.querySelector('#drawing svg')) await new Promise(requestAnimationFrame);
  const field = document.querySelector('[data-leaf="${leaf}"]');
  const times = [];
  for (let i = 0; i < ${WARM_UP + EDITS}; i++) {
    const time = await new Promise((resolve) => requestAnimationFrame(() => {
      const start = performance.now();
      field.value = String(1 + i / 64);
      field.dispatchEvent(new Event('input', { bubbles: true }));
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(performance.now() - start);
      port2.postMessage(undefined);
    }));
    if (i >= ${WARM_UP}) times.push(time);
  }
  return times.sort((a, b) => a - b);
})()`;

const folder = mkdtempSync(path.join(tmpdir(), 'nn-train-bench-'));
const browser = await chromium.launch({
  executablePath: process.env.NN_TRAIN_CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const { cpu, cores } = describeMachine();
console.log(`${cpu}, ${cores} cores, Chromium ${browser.version()}\n`);
console.log('| graph | changed | fastest | median | 90th percentile | wanted |\n|---|---|---|---|---|---|');
for (const { what, values = {}, leaf, wanted } of GRAPHS) {
  const file = path.join(folder, 'page.html');
  writeFileSync(file, explorerHtml({ generator: 'nn-train', what, values }, what));
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(pathToFileURL(file).href);
  const times = await page.evaluate(measure(leaf));
  await page.close();
  const at = (share) => `${times[Math.floor(share * times.length)].toFixed(1)} ms`;
  console.log(`| ${what} | ${leaf} | ${at(0)} | ${at(0.5)} | ${at(0.9)} | < ${wanted} ms |`);
}
await browser.close();
rmSync(folder, { recursive: true });
