import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A web page in one file: a script and a style sheet that `npm run build` bundled, and data as JSON in `#data`. */
export interface PageFile {
  /** Folder of page.js and page.css in dist/. */
  readonly bundle: string;
  readonly title: string;
  readonly generator: string;
  /** An icon as a data: URL. */
  readonly icon: string;
  readonly data: unknown;
  /** Shown without JavaScript. */
  readonly noScript: string;
  /** Attributes of the root element, such as ' data-live'. */
  readonly attributes?: string;
  /** What the page may do besides running its script: sources by directive of a Content-Security-Policy. It may never open a
   *  connection that is not listed here. */
  readonly policy?: Readonly<Record<string, string>>;
}

/** Returns a page as one self-contained HTML file. */
export function pageHtml({
  bundle,
  title,
  generator,
  icon,
  data,
  noScript,
  attributes = '',
  policy,
}: PageFile): string {
  const [script, style] = [readBundle(bundle, 'page.js'), readBundle(bundle, 'page.css')];
  const sources: Record<string, string> = {
    'default-src': "'none'",
    'script-src': `'${sha256(script)}'`,
    'style-src': `'${sha256(style)}'`,
    'img-src': 'data:',
    'connect-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
  };
  for (const [directive, source] of Object.entries(policy ?? {})) {
    sources[directive] = directive === 'script-src' ? `${sources[directive]} ${source}` : source;
  }
  const content = Object.entries(sources).map((entry) => entry.join(' '));
  return `<!doctype html>
<html lang="en"${attributes}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${content.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${escapeHtml(generator)}">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<noscript>${escapeHtml(noScript)}</noscript>
<script type="application/json" id="data">${jsonForHtml(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Reads a file that `npm run build` generates. */
function readBundle(folder: string, name: string): string {
  const root = path.dirname(createRequire(import.meta.url).resolve('nn-train/package.json'));
  return readFileSync(path.join(root, 'dist', folder, name), 'utf8');
}

const sha256 = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** Escapes JSON so that it neither closes the script element nor opens a comment. */
const jsonForHtml = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
