// Builds dist/PAGE/page.js and page.css from src/PAGE/page: everything that a page needs in the browser.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'rolldown';

/** Pages by folder, and the folders of their stylesheets. */
const PAGES = [
  { page: 'report', styles: ['src/report/page/style'] },
  { page: 'explorer', styles: ['src/explorer/page/style'] },
  { page: 'explorer/network', styles: ['src/explorer/page/style', 'src/explorer/network/page/style'] },
];

for (const { page, styles } of PAGES) {
  const [source, out] = [`src/${page}/page`, `dist/${page}`];
  const { output } = await build({
    input: path.join(source, 'main.ts'),
    tsconfig: 'tsconfig.page.json',
    platform: 'browser',
    // Graphviz would use it to load its WebAssembly, which it has inside.
    transform: { define: { 'import.meta': '{}' } },
    write: false,
    output: { format: 'iife', minify: true, comments: false, codeSplitting: false },
  });
  const [{ code, moduleIds }] = output;
  const script = forHtml(`${licences(moduleIds)}${code}`);
  mkdirSync(out, { recursive: true });
  writeFileSync(path.join(out, 'page.js'), script);
  // The style sheet of all pages, and those of the page in the order of their names.
  const sheets = styles.flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => path.join(folder, name)),
  );
  const css = ['src/page.css', ...sheets].map((file) => readFileSync(file, 'utf8')).join('\n');
  writeFileSync(path.join(out, 'page.css'), minifyCss(css));
}

/** Escapes what would not survive in a script element of an HTML page. All of it is in string literals: the WebAssembly of
 *  Graphviz is one, of any characters. */
function forHtml(script) {
  const escaped = script
    .replace(/<(?=!--|\/script)/gi, '\\x3c')
    .replace(/\0(?!\d)/g, '\\0')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a page cannot contain them.
    .replace(/[\0-\x08\x0b-\x1f\x7f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  if (escaped.includes('\r')) throw new Error('the bundle contains a carriage return, which a page changes');
  return escaped;
}

/** Returns a comment with the licences of all packages in the bundle, if any, without repeating a text. */
function licences(ids) {
  const packages = new Set(ids.flatMap((id) => id.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []));
  if (packages.size === 0) return '';
  const holders = new Map();
  for (const folder of [...packages].sort()) {
    const { name } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file && name === '@viz-js/viz') {
      holders.set(vizLicence(folder), [name]);
      continue;
    }
    if (!file) throw new Error(`${name} is in the bundle but has no licence file`);
    const lines = readFileSync(path.join(folder, file), 'utf8').trim().split(/\r?\n/);
    const isCopyright = (line) => /^copyright .*\d{4}/i.test(line.trim());
    const body = lines
      .filter((line) => !isCopyright(line))
      .join(' ')
      .replace(/\s+/g, ' ')
      .trim();
    const copyright = lines
      .filter(isCopyright)
      .map((line) => line.trim())
      .join('; ');
    holders.set(body, [...(holders.get(body) ?? []), `${name}: ${copyright}`]);
  }
  const texts = [...holders].map(([body, names]) => `${names.join('\n')}\n${body}`);
  return `/*! This page contains the following packages.\n\n${texts.join('\n\n').replaceAll('*/', '* /')}\n*/\n`;
}

/** The licence of Viz.js, which comes without a licence file, and of what its WebAssembly contains: the package names it at the
 *  top of its script, and records the sources that it was built from. */
function vizLicence(folder) {
  const [, header] = readFileSync(path.join(folder, 'dist/viz.js'), 'utf8').match(/^\/\*!\s*([\s\S]*?)\s*\*\//);
  const { predicate } = JSON.parse(readFileSync(path.join(folder, 'lib/provenance.json'), 'utf8'));
  const sources = predicate.buildDefinition.resolvedDependencies.map(({ uri }) => uri);
  const texts = readFileSync('scripts/viz-js-licences.txt', 'utf8');
  return `${header}\n\nBuilt from:\n${sources.join('\n')}\n\n${texts}`.trim();
}

/** Removes comments and redundant white space. */
function minifyCss(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .trim();
}
