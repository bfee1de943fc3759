import { spawnSync } from 'node:child_process';
import { NN_TRAIN } from './cli.ts';

/** Root may read and write everything, so root runs tests of permissions as nobody, if nobody may run Node and this build. */
export const NOBODY = process.getuid?.() === 0 ? 65534 : undefined;
export const canRunUnprivileged =
  NOBODY === undefined ||
  spawnSync(process.execPath, [NN_TRAIN, '--version'], { uid: NOBODY, gid: NOBODY, cwd: '/' }).status === 0;
