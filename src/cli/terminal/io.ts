import { styleText } from 'node:util';
import { showControls, showControlsExceptColours } from './controls.ts';

/** The parts of the process that a command uses; tests replace them. */
export type Io = Pick<
  NodeJS.Process,
  'stdout' | 'stderr' | 'env' | 'cwd' | 'on' | 'off' | 'listenerCount' | 'removeAllListeners' | 'pid' | 'kill' | 'exit'
>;

export type Style = Parameters<typeof styleText>[0];

/** Returns a function that colours text if the stream is a terminal and colours are not turned off (NO_COLOR, FORCE_COLOR). */
export function painter(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): (style: Style, text: string) => string {
  return isColoured(stream, env)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
}

function isColoured(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  const wanted = env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : stream.isTTY && env.TERM !== 'dumb';
  return wanted && !env.NO_COLOR;
}

const RAW = Symbol('the stream itself');

/** The same, with streams that show control characters instead of sending them, but for the colours of `painter`. */
export function guarded(io: Io): Io {
  const [stdout, stderr] = [io.stdout, io.stderr].map((stream) => guardedStream(stream, io.env));
  return replacing(io, { stdout, stderr });
}

function guardedStream(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): NodeJS.WriteStream {
  const shown = isColoured(stream, env) ? showControlsExceptColours : showControls;
  const own = {
    write: (text: string, ...rest: []) => stream.write(shown(text), ...rest),
    [RAW]: stream,
    /** Undefined also for a terminal that reports a width of 0, which means that it does not know. */
    get columns() {
      return stream.columns || undefined;
    },
  };
  return replacing(stream, own);
}

/** An object that has some properties of its own and all others of `target`. */
function replacing<T extends object>(target: T, own: object): T {
  return new Proxy(target, {
    get(_, key) {
      const value = Reflect.get(key in own ? own : target, key);
      return typeof value === 'function' && !(key in own) ? value.bind(target) : value;
    },
  });
}

/** The stream itself, for what moves the cursor. */
export function rawStream(stream: NodeJS.WriteStream & { readonly [RAW]?: NodeJS.WriteStream }): NodeJS.WriteStream {
  return stream[RAW] ?? stream;
}

/** Prints what a user should know, though nothing failed. */
export function printNote({ stderr }: Pick<Io, 'stderr'>, text: string): void {
  stderr.write(`note: ${text}\n`);
}

/** Prints a path on stdout: for a program as it is, such as in `cd "$(nn-train data path)"`. */
export function printPath({ stdout }: Io, path: string): void {
  if (stdout.isTTY) stdout.write(`${showControls(path)}\n`);
  else rawStream(stdout).write(`${path}\n`);
}

/** Width for text: 80 columns, or that of a narrower terminal. */
export function textWidth({ columns = 80 }: NodeJS.WriteStream): number {
  return Math.min(80, columns);
}
