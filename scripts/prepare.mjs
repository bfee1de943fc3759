// Builds the project after `npm ci`. npx also runs this when nn-train is first called in a clone, and never recovers if it
// fails. So it does nothing before the packages are installed; bin/nn-train.js then prints what to do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync('node_modules/typescript')) {
  process.exitCode = spawnSync('npm run build', { shell: true, stdio: 'inherit' }).status ?? 1;
}
