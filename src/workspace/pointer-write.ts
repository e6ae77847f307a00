import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileSystemError } from '../core/errors.js';
import type { RepositoryLayout } from '../git/git.js';
import { flushFiles } from '../objects/flush.js';
import { absolutePath, ensureRealDirectory, parentOf, type RepositoryPath } from './paths.js';
import { formatPointer, type Pointer } from './pointer-format.js';
import { pointerPathOf, readPointerText } from './pointers.js';
import { temporaryBeside } from './workspace-temporary.js';
import { writeWholeFile } from './write-whole-file.js';

/**
 * Writes the pointers of targets where they say something new: temporary names, one flush for all, then renamed. Unknown
 * keys and comments of the text before are kept. Errors: `DISK_FULL`, `FILE_SYSTEM`, `POINTER_UNSAFE`.
 */
export async function writePointers(
  layout: RepositoryLayout,
  targets: readonly { path: RepositoryPath; pointer: Pointer }[],
): Promise<void> {
  const written: { temporary: string; absolute: string }[] = [];
  try {
    for (const { path, pointer } of targets) {
      const file = pointerPathOf(path);
      const before = readPointerText(layout, file);
      const text = formatPointer(pointer, before);
      if (text === before) continue;
      ensureRealDirectory(layout, parentOf(file));
      const absolute = absolutePath(layout, file);
      const temporary = temporaryBeside(absolute);
      written.push({ temporary, absolute });
      writeNew(temporary, absolute, text);
    }
    const temporaries = written.map(({ temporary }) => temporary);
    await flushFiles(temporaries, layout.worktree);
    for (const { temporary, absolute } of written) renameTo(temporary, absolute);
  } finally {
    for (const { temporary } of written) rmSync(temporary, { force: true });
  }
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
