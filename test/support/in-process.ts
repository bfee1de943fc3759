import { main } from '../../src/cli/main.ts';

/** Runs the command line in this process. @param columns makes stdout and stderr terminals of this width. */
export async function runMain(args: readonly string[], env: Record<string, string> = {}, columns?: number) {
  const output = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof output) => ({
    isTTY: columns !== undefined,
    columns,
    write: (text: string) => {
      output[name] += text;
      return true;
    },
    on: () => {},
    off: () => {},
  });
  const io = {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env,
    cwd: () => '/',
    on: () => io,
    off: () => io,
  };
  const code = await main(args, io as unknown as NodeJS.Process);
  return { code, ...output };
}
