import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ReportData } from './report-data.ts';

const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1.5 2v12.5H15" fill="none" stroke="#888"/>' +
      '<path d="M3 4c2 7 5 8 11 8.5" fill="none" stroke="#c8500a" stroke-width="2"/></svg>',
  );

/** The page of a report: one HTML file that needs nothing but itself. The data travel inside as JSON, and the script of
 *  the page (src/report/page) shows them.
 *
 *  @param options.live whether the page listens to /events on the server that it came from; every event is to hold a
 *  whole RunReport as JSON. Otherwise the page may not open any connection. */
export function reportHtml(data: ReportData, options: { readonly live?: boolean } = {}): string {
  const [script, style] = [bundled('page.js'), bundled('page.css')];
  const title = data.runs.map(({ name }) => name).join(', ') || data.generator;
  const policy = [
    "default-src 'none'",
    `script-src '${sha256(script)}'`,
    // Observable Plot puts a style element into every chart.
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
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${ICON}">
<style>${style}</style>
</head>
<body>
<noscript>This report draws itself and needs JavaScript.</noscript>
<script type="application/json" id="data">${jsonForHtml(shownOf(data))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** A comparison shows neither pictures nor single steps. */
function shownOf(data: ReportData): ReportData {
  if (data.runs.length === 1) return data;
  const runs = data.runs.map((run) => ({
    ...run,
    steps: { step: [], loss: [], accuracy: [], learningRate: [] },
    updateRatios: [],
    test: run.test && { ...run.test, mistakes: [] },
    pictures: null,
  }));
  return { ...data, runs };
}

/** A file that `npm run build` makes of src/report/page. */
function bundled(name: string): string {
  const root = path.dirname(createRequire(import.meta.url).resolve('nn-train/package.json'));
  return readFileSync(path.join(root, 'dist/report', name), 'utf8');
}

const sha256 = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** JSON in which nothing ends the script element or opens a comment. */
const jsonForHtml = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
