import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import type { GitRewriting, RewriteDifference } from '../git/rewriting.js';
import { flushFiles } from '../objects/flush.js';
import { absolutePath, ensureRealDirectory, nameOf, parentOf, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import { temporaryBeside } from '../workspace/workspace-temporary.js';
import { textPath } from './rewrite-state.js';

/** A commit that is to become that of the working tree. */
export interface CommitToApply {
  differences: readonly RewriteDifference[];
  /** Paths that leave Git and stay in the working tree. */
  stays: (path: RepositoryPath) => boolean;
  /** Paths whose new content was made of what the working tree has, whatever that is. */
  derived: ReadonlySet<RepositoryPath>;
}

interface Change {
  path: RepositoryPath;
  difference: RewriteDifference;
}

/**
 * Makes sure that working tree and index have, of every path that changes, what HEAD has or what shall come: the latter
 * after a migration that was killed. Error: `WORKSPACE_DIRTY` with the paths.
 */
export async function checkUntouched(
  repository: Repository,
  git: GitRewriting,
  { differences, stays, derived }: CommitToApply,
): Promise<void> {
  const changes = changesOf(differences);
  const dirty = new Set<RepositoryPath>();
  const staged = await git.indexed(new Set(differences.map(({ path }) => path)));
  for (const { path, difference } of changes) {
    const now = staged.get(difference.path)?.blob;
    if (now !== difference.before?.blob && now !== difference.after?.blob && !derived.has(path)) dirty.add(path);
  }
  const looked = changes.filter(({ path }) => !stays(path) && !derived.has(path));
  const there: Change[] = [];
  const isBehindLink = behindLinks(repository);
  for (const change of looked) {
    if (isBehindLink(parentOf(change.path))) {
      dirty.add(change.path);
      continue;
    }
    const stat = lstatSync(absolutePath(repository.layout, change.path), { throwIfNoEntry: false });
    if (stat?.isFile()) there.push(change);
    else if (stat || (change.difference.before && change.difference.after)) dirty.add(change.path);
  }
  const files = await repository.git.hashFiles(there.map(({ path }) => path));
  const blobs = new Map(files.map(({ path, blob }) => [path, blob]));
  for (const { path, difference } of there) {
    const blob = blobs.get(path);
    if (blob !== difference.before?.blob && blob !== difference.after?.blob) dirty.add(path);
  }
  if (dirty.size > 0) throw uncommitted([...dirty].sort());
}

/** Tells of directories whether a link is on the way to them: what lies behind is not of this repository. */
function behindLinks({ layout }: Repository): (directory: RepositoryPath) => boolean {
  const known = new Map<RepositoryPath, boolean>([['', false]]);
  const ask = (directory: RepositoryPath): boolean => {
    let behind = known.get(directory);
    if (behind === undefined) {
      const stat = ask(parentOf(directory))
        ? undefined
        : lstatSync(absolutePath(layout, directory), { throwIfNoEntry: false });
      behind = ask(parentOf(directory)) || (stat?.isSymbolicLink() ?? false);
      known.set(directory, behind);
    }
    return behind;
  };
  return ask;
}

function uncommitted(paths: RepositoryPath[]): MlvError {
  const more = paths.length > 1 ? ` (and ${paths.length - 1} more)` : '';
  return new MlvError(
    'WORKSPACE_DIRTY',
    `'${paths[0]}'${more} is not as the last commit has it, and would be written over`,
    {
      hint: 'commit your changes, or put them aside (git stash), then run the same command again',
      data: { paths: paths.slice(0, 100) },
    },
  );
}

/**
 * Writes the new files of a commit to the working tree: what Git shall ignore first, so that no file is seen by it in
 * between; then everything else; then the index; then what goes. `read` gives contents of blobs. Errors: `DISK_FULL`,
 * `FILE_SYSTEM`, `POINTER_UNSAFE`, `GIT_FAILED`.
 */
export async function applyCommit(
  repository: Repository,
  git: GitRewriting,
  { differences, stays }: CommitToApply,
): Promise<void> {
  const changes = changesOf(differences);
  const written = changes.filter(({ difference }) => difference.after);
  const contents = await git.smallBlobs(
    written.flatMap(({ difference }) => difference.after?.blob ?? []),
    Number.MAX_SAFE_INTEGER,
  );
  const isIgnore = ({ path }: Change): boolean => nameOf(path) === '.gitignore';
  await writeFiles(repository, written.filter(isIgnore), contents);
  await writeFiles(
    repository,
    written.filter((change) => !isIgnore(change)),
    contents,
  );
  await git.stageDifference(differences);
  for (const { path, difference } of changes) {
    if (difference.after || stays(path)) continue;
    rmSync(absolutePath(repository.layout, path), { force: true });
  }
}

async function writeFiles(
  { layout }: Repository,
  changes: readonly Change[],
  contents: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const written: { temporary: string; absolute: string }[] = [];
  try {
    for (const { path, difference } of changes) {
      ensureRealDirectory(layout, parentOf(path));
      const absolute = absolutePath(layout, path);
      const temporary = temporaryBeside(absolute);
      written.push({ temporary, absolute });
      try {
        const mode = difference.after?.mode === '100755' ? 0o777 : 0o666;
        writeFileSync(temporary, contents.get(difference.after?.blob ?? '') ?? '', { flag: 'wx', mode });
      } catch (error) {
        throw fileSystemError('write', absolute, error);
      }
    }
    await flushFiles(
      written.map(({ temporary }) => temporary),
      layout.worktree,
    );
    for (const { temporary, absolute } of written) renameSync(temporary, absolute);
  } finally {
    for (const { temporary } of written) rmSync(temporary, { force: true });
  }
}

function changesOf(differences: readonly RewriteDifference[]): Change[] {
  return differences.flatMap((difference) => {
    const path = textPath(difference.path);
    return path === undefined ? [] : [{ path, difference }];
  });
}
