// Builds dist/report/page.js and page.css from src/report/page: everything that a report needs in the browser.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'rolldown';

const OUT = 'dist/report';
/** Stylesheets, concatenated in the order of their names. */
const STYLE = 'src/report/page/style';

const { output } = await build({
  input: 'src/report/page/main.ts',
  tsconfig: 'tsconfig.page.json',
  write: false,
  output: { format: 'iife', minify: true, comments: false },
});
const [{ code, moduleIds }] = output;
const script = `${licences(moduleIds)}\n${code}`;
// The script is embedded in an HTML page, where either of these would end the script element.
if (/<\/script|<!--/i.test(script))
  throw new Error('the bundle contains </script or <!--, which would end the script element');
writeFileSync(path.join(OUT, 'page.js'), script);
const styles = readdirSync(STYLE).sort();
const css = styles.map((name) => readFileSync(path.join(STYLE, name), 'utf8')).join('\n');
writeFileSync(path.join(OUT, 'page.css'), minifyCss(css));

/** Returns a comment with the licences of all packages in the bundle, without repeating a text. */
function licences(ids) {
  const packages = new Set(ids.flatMap((id) => id.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []));
  const holders = new Map();
  for (const folder of [...packages].sort()) {
    const { name } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
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
  return `/*! This page contains the following packages.\n\n${texts.join('\n\n').replaceAll('*/', '* /')}\n*/`;
}

/** Removes comments and redundant white space. */
function minifyCss(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .trim();
}
