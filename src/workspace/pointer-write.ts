import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../config/lock-file.js';
import { fileSystemError } from '../core/errors.js';
import type { RepositoryLayout } from '../git/git.js';
import { flushFiles } from '../objects/flush.js';
import { absolutePath, ensureRealDirectory, parentOf, type RepositoryPath } from './paths.js';
import { formatPointer, type Pointer } from './pointer-format.js';
import { pointerPathOf, readPointerText } from './pointers.js';
import { sweepTemporaries, temporaryBeside } from './workspace-temporary.js';
import { writeWholeFile } from './write-whole-file.js';

/** A pointer to be written. */
export interface PointerWrite {
  path: RepositoryPath;
  pointer: Pointer;
  /** The text that the pointer was made from: another one must not be replaced. */
  expected?: string;
}

/**
 * Writes the pointers of targets where they say something new: temporary names, one flush for all, then renamed. Unknown
 * keys and comments of the text before are kept. False, and nothing is written, where one is not as it was expected.
 * Errors: `DISK_FULL`, `FILE_SYSTEM`, `POINTER_UNSAFE`.
 */
export async function writePointers(layout: RepositoryLayout, targets: readonly PointerWrite[]): Promise<boolean> {
  const written: { temporary: string; absolute: string }[] = [];
  const swept = new Set<string>();
  try {
    for (const { path, pointer } of targets) {
      const file = pointerPathOf(path);
      const before = readPointerText(layout, file);
      const text = formatPointer(pointer, before);
      if (text === before) continue;
      ensureRealDirectory(layout, parentOf(file));
      const absolute = absolutePath(layout, file);
      // What a killed process left there would be committed with the pointers.
      if (!swept.has(dirname(absolute))) sweepTemporaries(dirname(absolute));
      swept.add(dirname(absolute));
      const temporary = temporaryBeside(absolute);
      written.push({ temporary, absolute });
      writeNew(temporary, absolute, text);
    }
    const temporaries = written.map(({ temporary }) => temporary);
    await flushFiles(temporaries, layout.worktree);
    return withLock(join(layout.gitDir, 'mlv', 'pointers.lock'), () => {
      if (!targets.every((target) => isAsExpected(layout, target))) return false;
      for (const { temporary, absolute } of written) renameTo(temporary, absolute);
      return true;
    });
  } finally {
    for (const { temporary } of written) rmSync(temporary, { force: true });
  }
}

function isAsExpected(layout: RepositoryLayout, { path, expected }: PointerWrite): boolean {
  return expected === undefined || readPointerText(layout, pointerPathOf(path)) === expected;
}

function writeNew(temporary: string, absolute: string, text: string): void {
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
  } catch (error) {
    throw fileSystemError('write', absolute, error);
  }
}

function renameTo(temporary: string, absolute: string): void {
  try {
    renameSync(temporary, absolute);
  } catch (error) {
    throw fileSystemError('write', absolute, error);
  }
}

/** Replaces a small file of the repository as a whole, flushed. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
export function writeTextFile(layout: RepositoryLayout, path: RepositoryPath, text: string | Uint8Array): void {
  writeWholeFile(absolutePath(layout, path), text);
}
