import { type Dirent, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';

/** A symbolic link of a workspace, and where it leads. */
export interface WorkspaceLink {
  /** Absolute path of the link. */
  path: string;
  /** Absolute path that it leads to. */
  to: string;
}

/**
 * The symbolic links of a working tree that lead below a directory, such as the files that `cache.link: symlink` made: the
 * object is all there is of their content, whatever the pointers say by now. Directories that cannot be read are left
 * out. Error: `FILE_SYSTEM`.
 */
export function linksInto(top: string, directory: string): WorkspaceLink[] {
  const below = directory + sep;
  const found: WorkspaceLink[] = [];
  const open = [top];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== '.git') open.push(path);
      } else if (entry.isSymbolicLink()) {
        const to = resolve(dirname(path), linkTarget(path));
        if (to.startsWith(below)) found.push({ path, to });
      }
    }
  }
  return found;
}

/** The hex digest of the object that a path below `objects/<algorithm>` names; undefined for any other path. */
export function objectAt(path: string, objects: string): string | undefined {
  const match = /^([0-9a-f]{2})[/\\]([0-9a-f]{62})$/.exec(
    path.startsWith(objects + sep) ? path.slice(objects.length + 1) : '',
  );
  return match ? `${match[1]}${match[2]}` : undefined;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '')) return [];
    throw fileSystemError('list', folder, error);
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
