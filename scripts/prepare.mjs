// Builds the project after `npm ci`. npx runs this too when nn-train is first called in a clone, and never recovers if it
// fails; so before anything is installed it does nothing, and bin/nn-train.js says what to do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync('node_modules/typescript')) {
  process.exitCode = spawnSync('npm run build', { shell: true, stdio: 'inherit' }).status ?? 1;
}
