import { isMlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import { looksLikeTree, TreeReader } from '../objects/tree-format.js';
import { isDirectoryTarget, type Target } from './pointers.js';
import type { Repository } from './repository.js';

/**
 * What a pointer says that its object, which the cache holds, contradicts: a size, a number of files, or a file for a
 * directory. Undefined when they agree, and when the object is not there to tell.
 */
export function pointerContradiction(repository: Repository, target: Target): string | undefined {
  const { oid, size } = target.pointer;
  const stat = repository.cache.stat(oid);
  if (!stat) return undefined;
  if (isDirectoryTarget(target)) return directoryContradiction(repository, target);
  const bytes = repository.cache.peek(oid, 8);
  if (looksLikeTree(bytes)) return `it stands for a file, but object ${oid} is a directory`;
  return stat.size === size ? undefined : `it says ${size} bytes, but object ${oid} has ${stat.size}`;
}

function directoryContradiction(repository: Repository, target: Target): string | undefined {
  const { oid, size, files } = target.pointer;
  const totals = treeTotals(repository, oid);
  if (totals === undefined) return undefined;
  if (totals === 'file') return `it stands for a directory, but object ${oid} is a file`;
  if (totals.size !== size) return `it says ${size} bytes, but the files of ${oid} have ${totals.size}`;
  if (totals.files !== files) return `it says ${files} files, but ${oid} has ${totals.files}`;
  return undefined;
}

function treeTotals(repository: Repository, oid: Oid): { size: number; files: number } | 'file' | undefined {
  try {
    const bytes = repository.cache.read(oid);
    if (!looksLikeTree(bytes)) return 'file';
    const totals = { size: 0, files: 0 };
    const reader = new TreeReader(bytes);
    while (reader.next()) {
      totals.size += reader.size;
      totals.files += reader.files;
    }
    return totals;
  } catch (error) {
    // Damage of the object itself is found, and named, when the cache is read.
    if (isMlvError(error)) return undefined;
    throw error;
  }
}
