import { rmSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import type { RepositoryLayout } from '../git/git.js';
import { withLines, withoutLines } from './git-ignore-file.js';
import { absolutePath } from './paths.js';
import { GIT_FILE_LIMIT, readWholeTextFile } from './text-file.js';
import { writeWholeFile } from './write-whole-file.js';

/** The file, at the top of the working tree, that says how Git merges and shows files. */
export const ATTRIBUTES_FILE = '.gitattributes';

/**
 * Pointers are merged and shown by mlv. Of ignore files, to which every `mlv add` may add a line, both sides' lines are
 * kept; Git does that itself.
 */
const LINES = ['*.mlv merge=mlv diff=mlv', '.gitignore merge=union'];

/** True where the text has all lines of mlv. */
export function hasAttributes(text: string): boolean {
  return withLines(text, LINES) === text;
}

/** Adds what is missing of the lines; gives whether anything was. Errors: `PATH_UNSUPPORTED` for a link or above 16 MiB, `FILE_SYSTEM`. */
export function addAttributes(layout: RepositoryLayout): boolean {
  const before = read(layout) ?? '';
  const after = withLines(before, LINES);
  if (after === before) return false;
  writeWholeFile(absolutePath(layout, ATTRIBUTES_FILE), after);
  return true;
}

/** Takes the lines away, and an empty file; gives whether there were any. Errors as addAttributes. */
export function removeAttributes(layout: RepositoryLayout): boolean {
  const before = read(layout);
  if (before === undefined) return false;
  const after = withoutLines(before, LINES);
  if (after === before) return false;
  const path = absolutePath(layout, ATTRIBUTES_FILE);
  if (after !== '') writeWholeFile(path, after);
  else removeFile(path);
  return true;
}

function read(layout: RepositoryLayout): string | undefined {
  const found = readWholeTextFile(absolutePath(layout, ATTRIBUTES_FILE), GIT_FILE_LIMIT);
  if (!found || 'text' in found) return found?.text;
  throw new MlvError('PATH_UNSUPPORTED', `'${ATTRIBUTES_FILE}' is a symbolic link; mlv does not write through it`, {
    hint: `put a file in its place: rm '${ATTRIBUTES_FILE}'`,
    data: { path: ATTRIBUTES_FILE },
  });
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw fileSystemError('remove', path, error);
  }
}
