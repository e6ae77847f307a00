import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '../core/errors.js';

/** The bit of a directory whose group new files get. */
export const SET_GROUP = 0o2000;
/** What makes a directory one for a group: what is made in it belongs to its group (setgid), which may write there. */
export const GROUP_MODE = SET_GROUP | 0o020;
const FOR_GROUP = 0o2070;
const GROUP_READ = 0o040;

/** True for a directory that is meant for a group, by its GROUP_MODE; false where it is not there. */
export function isForGroup(directory: string): boolean {
  const mode = statSync(directory, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & GROUP_MODE) === GROUP_MODE;
}

/**
 * Makes a directory of a cache, with those above it. In one for a group, the group may write to the new one, too, whatever
 * the umask; what was there already is never changed. System errors pass.
 */
export function makeCacheDirectory(path: string): void {
  const first = attempt(path);
  if (first === 'there') return;
  if (first === 'no parent') {
    makeCacheDirectory(dirname(path));
    if (attempt(path) === 'there') return;
  }
  // Made by this process a moment ago: nobody else's.
  if (isForGroup(dirname(path))) chmodSync(path, (statSync(path).mode & 0o7777) | FOR_GROUP);
}

/**
 * Lets the group read a small file that this process made, where its directory is meant for a group and the umask keeps it
 * from the group. System errors pass.
 */
export function letGroupRead(path: string): void {
  if ((process.umask() & GROUP_READ) !== 0 && isForGroup(dirname(path)))
    chmodSync(path, (statSync(path).mode & 0o7777) | GROUP_READ);
}

/** Node's recursive form hides why a directory cannot be made (on a read-only disk it says ENOENT). */
function attempt(path: string): 'made' | 'there' | 'no parent' {
  try {
    mkdirSync(path);
    return 'made';
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST') return 'there';
    if (code === 'ENOENT' && dirname(path) !== path) return 'no parent';
    throw error;
  }
}
