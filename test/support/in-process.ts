import { main } from '../../src/cli/main.ts';

/** Runs the command line in this process. @param terminal makes stdout one, of 80 columns. */
export async function runMain(args: readonly string[], env: Record<string, string> = {}, terminal = false) {
  const output = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof output) => ({
    isTTY: terminal,
    columns: terminal ? 80 : undefined,
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
