import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/documents/yaml.ts';

const messageOf = (content: string | Uint8Array) =>
  parseYaml(Buffer.from(content)).then(
    () => undefined,
    (error: Error) => error.message,
  );

describe('a YAML file', () => {
  it('is read as YAML 1.2, in UTF-8 and UTF-16', async () => {
    const text = 'lr: 1e-4 # slow\nflip: true\nnesterov: yes\nhidden: [32, 0x40]\nname: "β☃"\nnothing:\nmap: {a: b}\n';
    const data = {
      lr: 0.0001,
      flip: true,
      nesterov: 'yes',
      hidden: [32, 64],
      name: 'β☃',
      nothing: null,
      map: { a: 'b' },
    };
    for (const content of [text, `\uFEFF${text}`]) {
      const utf16 = Buffer.from(content, 'utf16le');
      for (const bytes of [Buffer.from(content), utf16]) expect(await parseYaml(bytes)).toEqual(data);
    }
  });

  it('may be JSON', async () => {
    expect(await parseYaml(Buffer.from('{\n\t"lr": 0.1,\n\t"hidden": [1, null]\n}'))).toEqual({
      lr: 0.1,
      hidden: [1, null],
    });
  });

  it('names keys as they are written', async () => {
    const data = await parseYaml(Buffer.from('1: a\nnull: b\n__proto__: {lr: 1}\n'));
    expect(Object.keys(data as object)).toEqual(['1', 'null', '__proto__']);
    expect((data as { lr?: number }).lr).toBeUndefined();
  });

  it.each([
    ['', 'it is empty'],
    ['# lr: 1\n', 'it is empty'],
    ['adamw', 'it is not YAML at line 1, column 1: wanted "name: value" or a list, in: adamw'],
    ['lr: 1\nlr: 2\n', 'it is not YAML at line 2, column 1: the key is given twice, in: lr: 2'],
    ['a: {lr: 1, lr: 2}', 'it is not YAML at line 1, column 12: the key is given twice, in: a: {lr: 1, lr: 2}'],
    ['a: "x\n', 'it is not YAML at line 2, column 1: missing closing "quote'],
    ['a:\r\n\t- 1\r\n', 'it is not YAML at line 2, column 1: tabs are not allowed as indentation, in: - 1'],
    ['a: 1\n---\nb: 2\n', 'it is not YAML at line 2, column 1: a second document begins, wanted one, in: ---'],
    ['? [a]\n: 1\n', 'it is not YAML at line 1, column 3: a key is not a text, in: ? [a]'],
    ['a: !!binary eA==', 'it is not YAML at line 1, column 4: tags are not supported, in: a: !!binary eA=='],
    [
      'a: &x [*x]\n',
      'it is not YAML at line 1, column 8: aliases are not supported; write the value out, in: a: &x [*x]',
    ],
    ['model: mlp\nlr = 0.1\n', /^it is not YAML at line 2, column 1: .*, in: lr = 0.1$/],
    ['[train]\nlr = 0.1\n', 'it looks like TOML or an INI file, wanted YAML'],
    ['<!doctype html>', 'it looks like HTML or XML, wanted YAML'],
    [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d]), 'it is a PNG, wanted YAML'],
    [Buffer.from('name: \xe9', 'latin1'), 'it is not text in UTF-8 or UTF-16; save it in UTF-8'],
  ])('%j: %s', async (content, message) => {
    expect(await messageOf(content)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('may not be nested deeply', async () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(await messageOf(deep(50))).toBeUndefined();
    expect(await messageOf(deep(100_000))).toBe('it is not YAML at line 1, column 101: it is nested too deeply');
    expect(await messageOf('- '.repeat(100_000))).toMatch('it is nested too deeply');
  });
});
