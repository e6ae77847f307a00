import { lstatSync } from 'node:fs';
import { isMlvError, MlvError, systemErrorCode } from '../core/errors.js';
import { windowsNameProblem } from '../objects/entry-name.js';
import type { RepositoryPath } from './paths.js';

/** What file systems say to a name that they do not take; some say only that nothing of such a name is there. */
const REFUSALS = new Set(['EINVAL', 'EILSEQ', 'ENAMETOOLONG', 'ENOENT', 'EPERM']);

/** The `NAME_REFUSED` error for a path, with the reason. */
export function nameRefused(path: RepositoryPath, reason: string, cause?: unknown): MlvError {
  return new MlvError('NAME_REFUSED', `'${path}' cannot be here: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'everything else is here, but mlv add would take this for removed: name what you want (docs/partial-directories.md)',
    data: { path },
  });
}

/**
 * The `NAME_REFUSED` error where what was caught says that the file system of `absolute` does not take the name; undefined
 * for other errors.
 */
export function refusedName(path: RepositoryPath, absolute: string, caught: unknown): MlvError | undefined {
  if (isMlvError(caught, 'NAME_REFUSED')) return caught;
  const code = systemErrorCode(isMlvError(caught, 'FILE_SYSTEM') ? caught.cause : caught);
  if (code === undefined || !REFUSALS.has(code)) return undefined;
  if (code === 'ENAMETOOLONG') return nameRefused(path, 'the name is too long for this file system', caught);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const problem = windowsNameProblem(name);
  const parent = absolute.slice(0, absolute.length - name.length - 1);
  // In a directory that is not there, or not to be written, it is not the name.
  if (problem === undefined || !lstatSync(parent, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  return nameRefused(path, `this file system does not take the name (${problem})`, caught);
}
