// Builds the project after `npm ci`. npx runs this as well, when nn-train is first called in a clone, and is stuck for
// good if it fails; before anything is installed there is nothing to build with, and bin/nn-train.js says what to do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync('node_modules/typescript')) {
  process.exitCode = spawnSync('npm run build', { shell: true, stdio: 'inherit' }).status ?? 1;
}
