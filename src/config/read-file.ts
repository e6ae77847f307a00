import { lstat, readFile } from 'node:fs/promises';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { LevelFile } from './document.js';
import { invalid } from './values.js';

/** Bytes above which a configuration file is refused. */
const SIZE_LIMIT = 1024 * 1024;

/**
 * The text of a level's file, or undefined where there is none. The committed file must be a regular file: a link in a
 * commit may lead anywhere. Errors: `CONFIG_INVALID` (not a file, above 1 MiB), `FILE_SYSTEM`.
 */
export async function readLevelText({ level, path }: LevelFile): Promise<string | undefined> {
  try {
    if (level === 'project') await checkRegular(path);
    const bytes = await readFile(path);
    if (bytes.length > SIZE_LIMIT) throw tooLarge(path);
    return bytes.toString('utf8');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fileSystemError('read', path, error);
  }
}

async function checkRegular(path: string): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isFile()) {
    throw invalid({ where: path, file: path }, 'it must be a regular file, not a link, a directory or a device');
  }
  if (stats.size > SIZE_LIMIT) throw tooLarge(path);
}

function tooLarge(path: string): Error {
  return invalid({ where: path, file: path }, 'a configuration file has at most 1 MiB');
}
