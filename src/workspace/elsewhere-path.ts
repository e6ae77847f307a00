import { MlvError } from '../core/errors.js';
import { entryNameProblem } from '../objects/entry-name.js';
import { isWithin, parentOf, type RepositoryPath } from './paths.js';
import { POINTER_SUFFIX } from './pointer-format.js';
import { isPointerPath } from './pointers.js';

/** A file of a commit; see GitPlumbing.listTree. */
export interface CommittedFile {
  path: RepositoryPath;
  blob: string;
  mode: string;
}

/** What a path of somebody else's repository may be, as far as the names of its files tell. */
export interface PathCandidates {
  /** Pointers that have to be read to know more: of the path, of a directory above it, of what lies below it. */
  pointers: CommittedFile[];
  /** The plain Git file of that name. */
  file?: CommittedFile;
  /** Plain Git files below the path; pointers are not among them. */
  below: CommittedFile[];
}

/**
 * A path as a user types it for somebody else's repository: from its top, `/`-separated. Empty for the top. Error:
 * `PATH_OUTSIDE_REPOSITORY`.
 */
export function elsewherePath(text: string): RepositoryPath {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  const bad = parts.some((part) => entryNameProblem(Buffer.from(part, 'utf8')) !== undefined);
  if (!bad && !text.startsWith('/')) return parts.join('/');
  throw new MlvError('PATH_OUTSIDE_REPOSITORY', `'${text}' is no path inside a repository`, {
    hint: 'give a path from the top of the repository, such as data/images',
    data: { path: text },
  });
}

/** Which files of a commit decide what a path is. Pure. */
export function pathCandidates(files: readonly CommittedFile[], path: RepositoryPath): PathCandidates {
  const above = new Set([...upwards(path)].map((each) => `${each}${POINTER_SUFFIX}`));
  const found: PathCandidates = { pointers: [], below: [] };
  for (const each of files) {
    const isPointer = isPointerPath(each.path) && isRegular(each);
    if (isPointer && (above.has(each.path) || isWithin(each.path, path))) found.pointers.push(each);
    else if (each.path === path) found.file = each;
    else if (!isPointer && isWithin(each.path, path)) found.below.push(each);
  }
  return found;
}

/** True for a file that is neither a link nor a submodule. */
export function isRegular({ mode }: CommittedFile): boolean {
  return mode.startsWith('100');
}

function* upwards(path: RepositoryPath): Generator<RepositoryPath> {
  for (let each = path; each !== ''; each = parentOf(each)) yield each;
}
