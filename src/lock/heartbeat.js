// Plain JavaScript, so that the worker thread also runs before the project is built.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Writes the content of a lock file again, so that its modification time becomes the present, by the clock of the file
 *  system. Does nothing if the file is gone or has another content: then the lock is lost.
 *  @param {string} path
 *  @param {string} content */
export function beat(path, content) {
  try {
    const file = openSync(path, 'r+');
    try {
      if (readFileSync(file, 'utf8') === content) writeSync(file, content, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // The next heartbeat tries again.
  }
}
