import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { guarded, painter, printPath } from '../../../src/cli/terminal/io.ts';
import { shellWord } from '../../../src/cli/terminal/shell.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';

/** Sets the title of the window, rings, colours, is a C1 command, reverses the text. */
const HOSTILE = 'a\u001b]0;title\u0007\u001b[31m\r\u007f\u009b2J\u202eb';
const SHOWN = 'a\\u001b]0;title\\u0007\\u001b[31m\\u000d\\u007f\\u009b2J\\u202eb';

/** What a guarded stream writes. */
function written(text: string, isTTY: boolean): string {
  let output = '';
  const stdout = { isTTY, write: (piece: string) => (output += piece) };
  guarded({ stdout, stderr: stdout, env: {} } as never).stdout.write(text);
  return output;
}

describe('control characters are shown', () => {
  it('whatever is printed, in a terminal or not, but for tabs, newlines and our own colours', () => {
    expect(written(`x\t${HOSTILE}\n`, false)).toBe(`x\t${SHOWN}\n`);
    const red = painter({ isTTY: true } as NodeJS.WriteStream, {})('red', 'no');
    expect(written(`${red} \u001b[2J\u001b]0;x\u0007`, true)).toBe(`${red} \\u001b[2J\\u001b]0;x\\u0007`);
  });

  it('in JSON, which stays the same', () => {
    const json = written(JSON.stringify({ HOSTILE }), false);
    expect(json).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(JSON.parse(json)).toEqual({ HOSTILE });
  });

  it('in errors, even colours, and long ones are cut', async () => {
    for (const columns of [undefined, 80]) {
      const { code, stderr } = await runMain(['data', 'info', `/no/${HOSTILE}`], {}, columns);
      expect([code, stderr]).toEqual([3, expect.stringContaining(SHOWN)]);
      expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
    }
    const { stderr } = await runMain(['eval', `/no/${'x'.repeat(1e6)}`]);
    expect(stderr).toMatch(/^error: .*x…\n$/);
    expect(stderr.length).toBeLessThan(6000);
  });

  it('of a server', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).end(`HTTP/1.1 500 ${HOSTILE.replaceAll(/[\r\u007f\u202e]/g, '')}\r\n\r\n`, 'latin1');
    });
    onTestFinished(() => {
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const env = { XDG_CACHE_HOME: temporaryFolder() };
    const { code, stderr } = await runMain(['data', 'download', '--url', `http://127.0.0.1:${port}/`], env, 80);
    expect(code).toBe(3);
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('but a path is printed as it is for a program', () => {
    for (const isTTY of [false, true]) {
      let output = '';
      const stdout = { isTTY, write: (piece: string) => (output += piece) };
      printPath(guarded({ stdout, stderr: stdout, env: {} } as never), HOSTILE);
      expect(output).toBe(`${isTTY ? SHOWN : HOSTILE}\n`);
    }
  });
});

it.skipIf(process.platform === 'win32')('a suggested command names a file with control characters for bash', () => {
  const name = `it's\n\\${HOSTILE}`;
  const word = shellWord(name);
  expect(word).not.toMatch(/[\p{Cc}\u202e]/u);
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' };
  expect(execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8', env })).toBe(name);
});
