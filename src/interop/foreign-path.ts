import { posix } from 'node:path';
import { isGitDirectoryName } from '../objects/entry-name.js';
import { nameOf, type RepositoryPath } from '../workspace/paths.js';
import { targetNameProblem } from '../workspace/pointer-format.js';
import { foreignInvalid } from './foreign-id.js';

/** Where a file of another tool stands, and which path it names. */
export interface NamedPath {
  /** The file that names it, from the top of the repository: for messages. */
  file: RepositoryPath;
  /** The directory that the path is relative to. */
  directory: RepositoryPath;
  path: string;
}

/**
 * The directory that another tool's file names, from the top of the repository, which it may be. Error: `FOREIGN_INVALID`
 * for one that leaves the repository.
 */
export function repositoryDirectory(named: NamedPath): RepositoryPath {
  const joined = posix.normalize(posix.join(named.directory || '.', named.path || '.'));
  if (joined === '.' || joined === './') return '';
  return repositoryPath(named);
}

/**
 * The path that another tool's file names, from the top of the repository. Error: `FOREIGN_INVALID` for one that leaves
 * the repository or is the top itself, and for one in Git's own directory.
 */
export function repositoryPath({ file, directory, path }: NamedPath): RepositoryPath {
  const refuse = (reason: string): never => {
    throw foreignInvalid(file, `is refused: the path '${path}' in it ${reason}`, {
      hint: 'only what lies in the repository can be migrated; correct the file, or remove it',
    });
  };
  if (path === '' || path.includes('\0')) refuse('names nothing');
  if (path.startsWith('/') || path.startsWith('~') || /^[A-Za-z]:/.test(path)) refuse('is absolute');
  const joined = posix.normalize(posix.join(directory || '.', path)).replace(/\/$/, '');
  if (joined === '..' || joined.startsWith('../')) refuse('leads out of the repository');
  if (joined === '.') refuse('is the top of the repository');
  if (joined.split('/').some(isGitDirectoryName)) refuse("is in Git's own directory");
  return joined;
}

/** As repositoryPath, for a path that shall have a pointer. Error also for a name that no pointer can have. */
export function trackedPath(named: NamedPath): RepositoryPath {
  const path = repositoryPath(named);
  const problem = targetNameProblem(nameOf(path)) ?? (path.endsWith('.mlv') ? 'is the name of a pointer' : undefined);
  if (problem) throw foreignInvalid(named.file, `cannot be migrated: '${path}' ${problem}`);
  return path;
}
