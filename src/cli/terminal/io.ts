import { styleText } from 'node:util';

/** The parts of the process that a command uses; tests replace them. */
export type Io = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env' | 'cwd' | 'on' | 'off' | 'exit'>;

export type Style = Parameters<typeof styleText>[0];

/** Returns a function that colours text if the stream is a terminal and colours are not turned off (NO_COLOR, FORCE_COLOR). */
export function painter(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): (style: Style, text: string) => string {
  const wanted = env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : stream.isTTY && env.TERM !== 'dumb';
  return wanted && !env.NO_COLOR
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
}

/** Name under which the program was started, for commands that messages suggest. */
export function ownName(env: NodeJS.ProcessEnv): string {
  return env.npm_command === 'exec' ? 'npx nn-train' : 'nn-train';
}
