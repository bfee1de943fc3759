// Builds dist/PAGE/page.js and page.css from src/PAGE/page: everything that a page needs in the browser.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'rolldown';

/** Licences of packages that come without a licence file. */
const UNLICENSED = new Map([
  [
    '@viz-js/viz',
    'Viz.js, Copyright (c) Michael Daines, licensed under the MIT License. It contains in object code Graphviz, licensed under ' +
      'the Eclipse Public License (graphviz.org/license), whose source is at gitlab.com/graphviz/graphviz, and Expat, Copyright ' +
      '(c) Thai Open Source Software Center Ltd and Clark Cooper and Expat maintainers, licensed under the MIT License. The MIT ' +
      'License: Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated ' +
      'documentation files (the "Software"), to deal in the Software without restriction, including without limitation the ' +
      'rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit ' +
      'persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and ' +
      'this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED ' +
      '"AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF ' +
      'MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS ' +
      'BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, ' +
      'OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.',
  ],
]);

for (const page of ['report', 'explorer']) {
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
  const script = forHtml(`${licences(moduleIds)}\n${code}`);
  mkdirSync(out, { recursive: true });
  writeFileSync(path.join(out, 'page.js'), script);
  // Stylesheets, concatenated in the order of their names.
  const folder = path.join(source, 'style');
  const css = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
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

/** Returns a comment with the licences of all packages in the bundle, without repeating a text. */
function licences(ids) {
  const packages = new Set(ids.flatMap((id) => id.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []));
  const holders = new Map();
  for (const folder of [...packages].sort()) {
    const { name } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file && UNLICENSED.has(name)) {
      holders.set(UNLICENSED.get(name), [name]);
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
