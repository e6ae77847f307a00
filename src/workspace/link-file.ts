import { isUtf8 } from 'node:buffer';
import { readFileSync, type Stats, symlinkSync, writeFileSync } from 'node:fs';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import type { Repository } from './repository.js';

/** As long as a link's target can be on Linux. */
const MOST_BYTES = 4095;

/** What a file system says that keeps no links, or lets this user make none. */
const REFUSALS = new Set(['ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM']);

/**
 * The target of a link in a file that stands for it (`core.symlinks` is false), as Git writes them: its bytes and nothing
 * else. Undefined for what can be none: more than one line, no UTF-8, or gone. Error: `FILE_SYSTEM`.
 */
export function readTarget(path: string, stat: Stats): string | undefined {
  if (stat.size === 0 || stat.size > MOST_BYTES) return undefined;
  try {
    const bytes = readFileSync(path);
    const target = bytes.toString('utf8');
    return isUtf8(bytes) && !/[\0\r\n]/.test(target) ? target : undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw fileSystemError('read', path, error);
  }
}

/**
 * Makes a link where nothing is, or the file that stands for it where Git has it so. Errors: `FILE_SYSTEM` with what to tell
 * Git where the file system keeps no links; those of the system.
 */
export function makeLink({ git }: Repository, target: string, path: string): void {
  try {
    if (git.makesLinks()) symlinkSync(target, path);
    else writeFileSync(path, target, { flag: 'wx' });
  } catch (error) {
    if (!git.makesLinks() || !REFUSALS.has(systemErrorCode(error) ?? '')) throw error;
    throw new MlvError(
      'FILE_SYSTEM',
      `cannot make the symbolic link '${path}': this file system keeps none, or not for you`,
      {
        cause: error,
        hint: 'have files stand for links: git config core.fileMode false && git config core.symlinks false',
        data: { path, system: systemErrorCode(error) },
      },
    );
  }
}
