import path from 'node:path';
import { shellWord } from './shell.ts';

/** How the program was started, for commands that messages suggest: they can be pasted where they are read.
 *  @param script the file that Node runs. */
export function ownName(env: NodeJS.ProcessEnv, script = process.argv[1] ?? ''): string {
  const { base, dir } = path.parse(script);
  const isOurs = base === 'nn-train' || base === 'nn-train.js';
  // node_modules/.bin is a folder of links, or on Windows of scripts that start the file in the package.
  const [project] = dir.split(/[\\/]node_modules[\\/]/);
  const isInProject = project !== dir && isInside(process.cwd(), project);
  if (env.npm_command === 'exec' || (isOurs && isInProject)) return 'npx nn-train';
  const isFile = base === 'nn-train.js' && project === dir;
  const shown = isInside(dir, process.cwd()) ? path.relative('', script) : script;
  return isFile ? `node ${shellWord(shown)}` : 'nn-train';
}

function isInside(folder: string, outer: string): boolean {
  const way = path.relative(outer, folder);
  return !path.isAbsolute(way) && way.split(path.sep)[0] !== '..';
}
