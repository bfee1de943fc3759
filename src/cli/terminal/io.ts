import { styleText } from 'node:util';

/** What a command may use of the process; a test can stand in for it. */
export type Io = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env' | 'cwd' | 'on' | 'off' | 'exit'>;

export type Style = Parameters<typeof styleText>[0];

/** Colours a text if the stream is a terminal that wants colours (NO_COLOR, FORCE_COLOR). */
export function painter(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): (style: Style, text: string) => string {
  const wanted = env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : stream.isTTY && env.TERM !== 'dumb';
  return wanted && !env.NO_COLOR
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
}

/** How this program is called, for messages that say what to do next. */
export function ownName(env: NodeJS.ProcessEnv): string {
  return env.npm_command === 'exec' ? 'npx nn-train' : 'nn-train';
}
