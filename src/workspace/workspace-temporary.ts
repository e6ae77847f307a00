import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isStaleTemporary, isTemporaryName, temporaryName } from '../core/temporary-name.js';

const PREFIX = '.mlv-';

/** A name in the same directory that nobody else uses; scans leave such names out. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `${PREFIX}${temporaryName()}`);
}

/** True for the name of a file or folder that some mlv writes at this moment, or left behind when it was killed. */
export function isWorkspaceTemporary(name: string): boolean {
  return name.startsWith(PREFIX) && isTemporaryName(name.slice(PREFIX.length));
}

/** Removes what killed mlv processes left in a directory of the workspace. */
export function removeStaleTemporaries(directory: string, now = Date.now()): void {
  for (const name of readdirSync(directory)) {
    if (!isWorkspaceTemporary(name)) continue;
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat && isStaleTemporary(name.slice(PREFIX.length), now - stat.mtimeMs)) {
      rmSync(path, { force: true, recursive: true });
    }
  }
}

/** As removeStaleTemporaries, as far as that goes: never fails. */
export function sweepTemporaries(directory: string): void {
  try {
    removeStaleTemporaries(directory);
  } catch {
    // A directory that this user may write to and not list, or what belongs to somebody else.
  }
}
