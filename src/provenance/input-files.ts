import { lstatSync, readlinkSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import type { RunInput } from './run-record.js';

/** A file of Git as it is in the working tree. */
export interface FileState {
  path: RepositoryPath;
  /** Name of its blob, hex; of a symbolic link `link:` and where it leads. */
  blob: string;
}

/** What Git said of the files a moment ago, for several questions in a row. */
export interface FileMemory {
  /** Everything that may be asked for. */
  readonly paths: readonly RepositoryPath[];
  files?: Promise<FileState[]>;
}

/** A file in the text that stands for several: `<blob> <path>`. */
export function lineOf({ blob, path }: FileState): string {
  return `${blob} ${path}\n`;
}

/**
 * The files below the paths that Git has or would take, with their blobs; from memory where there is one. Errors:
 * `PATH_UNSUPPORTED` for a repository of its own, `GIT_FAILED`.
 */
export async function gitFiles(
  repository: Repository,
  paths: readonly RepositoryPath[],
  memory?: FileMemory,
): Promise<FileState[]> {
  const read = async (wanted: readonly RepositoryPath[]): Promise<FileState[]> => {
    const blobs = await blobsOf(repository, await repository.git.filesBelow(wanted));
    return [...blobs].map(([path, blob]) => ({ path, blob }));
  };
  if (!memory) return read(paths);
  memory.files ??= read(memory.paths);
  return memory.files;
}

async function blobsOf(repository: Repository, paths: readonly RepositoryPath[]): Promise<Map<RepositoryPath, string>> {
  const { layout, git } = repository;
  const blobs = new Map<RepositoryPath, string>();
  const regular: RepositoryPath[] = [];
  for (const path of paths) {
    const absolute = absolutePath(layout, path);
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    // Deleted, though the index has it still: then it is no input.
    if (!stat) continue;
    if (stat.isFile()) regular.push(path);
    else if (stat.isSymbolicLink()) blobs.set(path, `link:${encodeURI(readlinkSync(absolute))}`);
    else {
      throw new MlvError(
        'PATH_UNSUPPORTED',
        `'${path}' cannot be an input: it is a repository of its own, or no file`,
        {
          hint: 'name the files that are read',
          data: { path },
        },
      );
    }
  }
  for (const { path, blob } of await git.hashFiles(regular)) blobs.set(path, blob);
  return blobs;
}

/** The input that files of Git are: a file by its blob, a directory by the digest of the lines of its files. */
export function gitInput(repository: Repository, path: RepositoryPath, files: readonly FileState[]): RunInput {
  const [only] = files;
  if (only && only.path === path && !only.blob.startsWith('link:')) {
    return { path, kind: 'git', oid: `git:${only.blob}` };
  }
  const lines = files.map(lineOf).sort();
  const oid = repository.cache.oid(repository.hash.digest(Buffer.from(lines.join(''), 'utf8')));
  return { path, kind: 'git', oid, files: files.length };
}
