import { spawnSync } from 'node:child_process';
import { NN_TRAIN } from './cli.ts';

/** A command that runs another in its own mount namespace, where this user may mount; undefined if there is none. */
export const UNSHARE = [
  ['unshare', '--mount'],
  ['unshare', '--user', '--map-root-user', '--mount'],
].find(([command, ...args]) => {
  const probe = ['sh', '-c', 'mount -t tmpfs tmpfs /mnt'];
  return spawnSync(command, [...args, ...probe]).status === 0;
});

/** Runs a script that mounts disks and starts nn-train as "$0" "$@". */
export function onOwnMounts(script: string, run: readonly string[], cwd: string) {
  const [command, ...args] = UNSHARE!;
  return spawnSync(command, [...args, 'sh', '-c', script, process.execPath, NN_TRAIN, ...run], {
    cwd,
    encoding: 'utf8',
  });
}
