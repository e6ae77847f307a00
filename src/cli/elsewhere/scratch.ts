import { mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError } from '../../core/errors.js';
import { isStaleTemporary, temporaryName } from '../../core/temporary-name.js';

const PREFIX = '.mlv-get-';

/**
 * A new directory of this command's own in another, whose name says which process made it; what killed ones left there is
 * removed. Error: `FILE_SYSTEM`.
 */
export function scratchDirectory(parent: string): string {
  try {
    for (const name of readdirSync(parent)) {
      if (!name.startsWith(PREFIX)) continue;
      const stat = statSync(join(parent, name), { throwIfNoEntry: false });
      const isStale = stat && isStaleTemporary(name.slice(PREFIX.length), Date.now() - stat.mtimeMs);
      if (isStale) rmSync(join(parent, name), { recursive: true, force: true });
    }
    const path = join(realpathSync(parent), `${PREFIX}${temporaryName()}`);
    mkdirSync(path);
    return path;
  } catch (error) {
    throw fileSystemError('create a directory in', parent, error);
  }
}
