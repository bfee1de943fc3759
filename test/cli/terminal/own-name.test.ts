import path from 'node:path';
import { expect, it } from 'vitest';
import { ownName } from '../../../src/cli/terminal/own-name.ts';

it('is what starts the program again', () => {
  const here = path.resolve('.');
  const inProject = path.join(here, 'node_modules', '.bin', 'nn-train');
  const ofPackage = path.join(here, 'node_modules', 'nn-train', 'bin', 'nn-train.js');
  const cases: [env: NodeJS.ProcessEnv, script: string, name: string][] = [
    [{ npm_command: 'exec' }, inProject, 'npx nn-train'],
    [{ npm_command: 'run-script' }, inProject, 'npx nn-train'],
    [{}, inProject, 'npx nn-train'],
    [{}, ofPackage, 'npx nn-train'],
    // Installed for all projects, on Unix and on Windows.
    [{}, path.resolve('/usr/local/bin/nn-train'), 'nn-train'],
    [{}, path.resolve('/elsewhere/npm/node_modules/nn-train/bin/nn-train.js'), 'nn-train'],
    // A clone.
    [{}, path.join(here, 'bin', 'nn-train.js'), `node ${path.join('bin', 'nn-train.js')}`],
    [{}, path.resolve(here, '../clone/bin/nn-train.js'), `node ${path.resolve(here, '../clone/bin/nn-train.js')}`],
    // Another program that calls it.
    [{}, path.resolve('/work/tool.js'), 'nn-train'],
  ];
  for (const [env, script, name] of cases) expect(ownName(env, script), script).toBe(name);
});
