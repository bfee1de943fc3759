import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ReportData } from './report-data.ts';
import type { SweepReport } from './sweep-data.ts';

const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1.5 2v12.5H15" fill="none" stroke="#888"/>' +
      '<path d="M3 4c2 7 5 8 11 8.5" fill="none" stroke="#c8500a" stroke-width="2"/></svg>',
  );

/** Returns the report of runs or of a sweep as one self-contained HTML file. It contains the data as JSON, and a script
 *  (src/report/page) that renders them.
 *
 *  @param options.live whether the page listens to /events on the server that served it; every event must be a complete
 *  RunReport as JSON. If false, the page is not allowed to open any connection. */
export function reportHtml(data: ReportData | SweepReport, options: { readonly live?: boolean } = {}): string {
  const [script, style] = [readBundle('page.js'), readBundle('page.css')];
  const title = 'trials' in data ? data.name : data.runs.map(({ name }) => name).join(', ');
  const policy = [
    "default-src 'none'",
    `script-src '${sha256(script)}'`,
    // Observable Plot adds a style element to every chart.
    "style-src 'unsafe-inline'",
    'img-src data:',
    `connect-src ${options.live ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en"${options.live ? ' data-live' : ''}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${escapeHtml(data.generator)}">
<title>${escapeHtml(title || data.generator)}</title>
<link rel="icon" href="${ICON}">
<style>${style}</style>
</head>
<body>
<noscript>This report needs JavaScript to be displayed.</noscript>
<script type="application/json" id="data">${jsonForHtml(withoutUnused(data))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Removes the pictures and the steps from the data of a comparison, which shows neither. */
function withoutUnused(data: ReportData | SweepReport): ReportData | SweepReport {
  if ('trials' in data || data.runs.length === 1) return data;
  const runs = data.runs.map((run) => ({
    ...run,
    steps: { step: [], loss: [], accuracy: [], learningRate: [] },
    updateRatios: [],
    test: run.test && { ...run.test, mistakes: [] },
    pictures: null,
  }));
  return { ...data, runs };
}

/** Reads a file that `npm run build` generates from src/report/page. */
function readBundle(name: string): string {
  const root = path.dirname(createRequire(import.meta.url).resolve('nn-train/package.json'));
  return readFileSync(path.join(root, 'dist/report', name), 'utf8');
}

const sha256 = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** Escapes JSON so that it neither closes the script element nor opens a comment. */
const jsonForHtml = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
