import { lstatSync, readlinkSync } from 'node:fs';
import { fileSystemError } from '../core/errors.js';
import { Placer } from '../objects/link-modes.js';
import type { Oid } from '../objects/oid.js';
import { KIND } from '../objects/tree-format.js';
import { hashingSink } from './content-sinks.js';
import { FileTable } from './file-table.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, type Selection } from './pointers.js';
import type { Repository } from './repository.js';
import { eachFile, objectOfLink, walkTarget } from './scan-target.js';
import type { Walk } from './walk.js';
import { isAsSeen } from './workspace-files.js';
import { temporaryBeside } from './workspace-temporary.js';

/**
 * Replaces hard and symbolic links into the cache by private, writable copies, so that the files can be edited.
 * Gives the paths of the files that were replaced. Errors: `OBJECT_CORRUPT`, `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function unprotect(repository: Repository, selections: readonly Selection[]): Promise<RepositoryPath[]> {
  const placer = new Placer(repository.cache, { modes: ['reflink', 'copy'], verifyLinks: true });
  const replaced: RepositoryPath[] = [];
  for (const selection of selections) {
    for (const file of await linkedFiles(repository, selection)) {
      const path = absolutePath(repository.layout, file.path);
      try {
        const seen = lstatSync(path);
        const mayReplace = (): boolean => isAsSeen(path, seen);
        const request = { ...file, path, executable: false, temporary: temporaryBeside(path), mayReplace };
        if (!(await placer.place(request))) continue;
      } catch (error) {
        throw fileSystemError('copy', path, error);
      }
      replaced.push(file.path);
    }
  }
  return replaced;
}

interface LinkedFile {
  path: RepositoryPath;
  oid: Oid;
  size: number;
}

/** Files of a selection that share the cache's bytes: by symbolic link, or by being the object's own inode. */
async function linkedFiles(repository: Repository, { target, below }: Selection): Promise<LinkedFile[]> {
  const walk = await look(repository, target.path, isDirectoryTarget(target));
  const wanted = below === '' ? target.path : `${target.path}/${below}`;
  const found: LinkedFile[] = [];
  const toObject = objectOfLink(repository);
  eachFile(walk.root, isDirectoryTarget(target) ? target.path : '', (block, index, directory) => {
    const name = block.names[index] as string;
    const path = directory === '' ? name : `${directory}/${name}`;
    if (path !== wanted && !path.startsWith(`${wanted}/`)) return;
    if (block.kindAt(index) === KIND.executable) return;
    const oid = repository.cache.oid(block.digestAt(index));
    if (sharesBytes(repository, path, oid, toObject)) found.push({ path, oid, size: block.sizeAt(index) });
  });
  return found;
}

function sharesBytes(
  repository: Repository,
  path: RepositoryPath,
  oid: Oid,
  toObject: (target: string) => string | undefined,
): boolean {
  const absolute = absolutePath(repository.layout, path);
  const stat = lstatSync(absolute);
  if (stat.isSymbolicLink()) return toObject(readlinkSync(absolute)) !== undefined;
  return stat.nlink > 1 && repository.cache.stat(oid)?.ino === stat.ino;
}

async function look(repository: Repository, path: RepositoryPath, directory: boolean): Promise<Walk> {
  const { index, layout, hash } = repository;
  const known = directory ? index.load(path) : undefined;
  const walk = directory
    ? walkTarget(repository, path, known ? { previous: known.block } : {})
    : new FileTable(index.loadFiles()).look(repository, [path]);
  await walk.pending.read(hashingSink(hash), { worktree: layout.worktree, racyFrom: 0 });
  return walk;
}
