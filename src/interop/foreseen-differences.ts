import { createHash } from 'node:crypto';
import type { BytePath, NewChange, NewFile, RewriteDifference } from '../git/rewriting.js';

/** A file of a commit. */
interface CommittedFile {
  path: BytePath;
  mode: string;
  blob: string;
}

/**
 * How the files of a commit and those of a new one with these changes would differ: as GitRewriting.difference has it once
 * the commit is written, but nothing is.
 */
export function foreseenDifferences(
  files: readonly CommittedFile[],
  changes: readonly NewChange[],
): RewriteDifference[] {
  const known = new Map(files.map((file) => [file.path, file]));
  const algorithm = files[0]?.blob.length === 64 ? 'sha256' : 'sha1';
  return changes.map(({ path, file }) => {
    const before = known.get(path);
    return {
      path,
      before: before && { mode: before.mode, blob: before.blob },
      after: file && { mode: file.mode, blob: blobOf(file, algorithm) },
    };
  });
}

/** The name that Git gives a content. */
function blobOf(file: NewFile, algorithm: 'sha1' | 'sha256'): string {
  if ('blob' in file) return file.blob;
  const bytes = Buffer.from(file.text, 'utf8');
  return createHash(algorithm).update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}
