import { EventEmitter } from 'node:events';
import { main } from '../../src/cli/main.ts';

/** Runs the command line in this process. @param columns makes stdout and stderr terminals of this width.
 *  @param onWrite called with each text that is written, and with what stands for the process, to send signals to. */
export async function runMain(
  args: readonly string[],
  env: Record<string, string> = {},
  columns?: number,
  onWrite: (text: string, io: EventEmitter) => void = () => {},
) {
  const output = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof output) => ({
    isTTY: columns !== undefined,
    columns,
    write: (text: string) => {
      output[name] += text;
      onWrite(text, io);
      return true;
    },
    on: () => {},
    off: () => {},
  });
  const io = Object.assign(new EventEmitter(), {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env,
    cwd: () => '/',
  });
  const code = await main(args, io as unknown as NodeJS.Process);
  return { code, ...output };
}
