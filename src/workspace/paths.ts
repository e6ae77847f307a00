import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import type { RepositoryLayout } from '../git/git.js';

/** A path of the repository as Git writes it: `/`-separated, relative to the top; empty for the top itself. */
export type RepositoryPath = string;

/**
 * Turns what the user typed (relative to the current directory, or absolute) into a repository path. A trailing slash
 * is dropped. Error: `PATH_OUTSIDE_REPOSITORY`, also for anything inside `.git`.
 */
export function toRepositoryPath(layout: RepositoryLayout, argument: string): RepositoryPath {
  const absolute = isAbsolute(argument) ? throughLinks(argument) : resolve(layout.worktree, layout.prefix, argument);
  const inside = relative(layout.worktree, absolute);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new MlvError('PATH_OUTSIDE_REPOSITORY', `'${argument}' is outside the repository at '${layout.worktree}'`, {
      hint: 'give paths inside the repository, or run mlv in the repository that holds it',
      data: { path: argument },
    });
  }
  const path = sep === '/' ? inside : inside.split(sep).join('/');
  if (/^\.git(\/|$)/i.test(path)) {
    throw new MlvError('PATH_OUTSIDE_REPOSITORY', `'${argument}' belongs to Git itself`, { data: { path: argument } });
  }
  return path;
}

/** Resolves links in all but the last part, so that a path through a linked directory is compared with the real top. */
function throughLinks(absolute: string): string {
  const plain = resolve(absolute);
  try {
    return join(realpathSync(dirname(plain)), basename(plain));
  } catch {
    return plain;
  }
}

/** The absolute path of a repository path. */
export function absolutePath(layout: RepositoryLayout, path: RepositoryPath): string {
  return path === '' ? layout.worktree : `${layout.worktree}/${path}`;
}

/** A repository path as the user would type it in the current directory. */
export function forDisplay(layout: RepositoryLayout, path: RepositoryPath): string {
  return relative(layout.prefix, path).split(sep).join('/') || '.';
}

/** The directory part, empty at the top. */
export function parentOf(path: RepositoryPath): RepositoryPath {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last component. */
export function nameOf(path: RepositoryPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `parent/name`, without a leading slash at the top. */
export function childOf(parent: RepositoryPath, name: string): RepositoryPath {
  return parent === '' ? name : `${parent}/${name}`;
}

/** True when `path` is `ancestor` or lies below it. */
export function isWithin(path: RepositoryPath, ancestor: RepositoryPath): boolean {
  return ancestor === '' || path === ancestor || path.startsWith(`${ancestor}/`);
}

/**
 * Makes sure that a directory of the repository is there, made of real directories all the way: nothing is ever
 * written through a symbolic link. Errors: `POINTER_UNSAFE`, `FILE_SYSTEM`.
 */
export function ensureRealDirectory(layout: RepositoryLayout, path: RepositoryPath): void {
  let current = '';
  for (const part of path === '' ? [] : path.split('/')) {
    current = childOf(current, part);
    const absolute = absolutePath(layout, current);
    try {
      const stat = lstatSync(absolute, { throwIfNoEntry: false });
      if (stat?.isDirectory()) continue;
      if (stat) throw notADirectory(current, stat.isSymbolicLink());
      mkdirSync(absolute);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') continue;
      throw fileSystemError('create the directory', absolute, error);
    }
  }
}

function notADirectory(path: RepositoryPath, link: boolean): MlvError {
  const what = link ? 'a symbolic link' : 'a file';
  return new MlvError(
    'POINTER_UNSAFE',
    `'${path}' is ${what} where a directory is needed; nothing is written through it`,
    {
      hint: `move '${path}' out of the way`,
      data: { path },
    },
  );
}
