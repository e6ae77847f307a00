import { lstatSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import type { Oid } from '../objects/oid.js';
import { checkNewTarget, checkOverlaps } from './add-targets.js';
import { checkout } from './checkout.js';
import type { CheckoutReport } from './checkout-directory.js';
import { ignoreInGit } from './git-ignore-file.js';
import { absolutePath, ensureRealDirectory, isWithin, nameOf, parentOf, type RepositoryPath } from './paths.js';
import { formatPointer, type Pointer } from './pointer-format.js';
import { type PointerSource, withSource } from './pointer-source.js';
import { writeTextFile } from './pointer-write.js';
import { loadTargets, pointerPathOf, type Target } from './pointers.js';
import type { Repository } from './repository.js';

/** Content that is in the cache. */
export interface StoredContent {
  oid: Oid;
  /** Bytes, of everything below for a directory. */
  size: number;
  /** Files and links below; undefined for a file. */
  files?: number;
  executable?: boolean;
}

export interface ImportOptions {
  /** Overwrite what is in the workspace and in no object. */
  force: boolean;
  /** Stage the pointer in Git. */
  stage?: boolean | undefined;
  reporter?: Reporter;
  signal?: AbortSignal;
}

/** What became of an import. */
export interface Imported {
  pointer: Pointer;
  checkout: CheckoutReport;
  /** Files that a commit should hold; none where something stood in the way and the pointer stays as it was. */
  files: RepositoryPath[];
  staged: boolean;
}

/**
 * Checks that a path can be imported to. Errors: `TARGET_EXISTS` where something is there or tracked and `force` is not
 * set, those of checkNewTarget and checkOverlaps.
 */
export async function checkImportPlace(
  repository: Repository,
  place: { path: RepositoryPath; directory: boolean },
  force: boolean,
): Promise<void> {
  const { targets } = await loadTargets(repository);
  const { path } = place;
  const tracked = targets.some((target) => target.path === path);
  const there = lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false }) !== undefined;
  if ((tracked || there) && !force) {
    throw new MlvError('TARGET_EXISTS', `'${path}' is ${tracked ? 'tracked' : 'there'} already`, {
      hint: 'choose another place with -o, or overwrite it with --force',
      data: { path },
    });
  }
  await checkNewTarget(repository, place);
  checkOverlaps(
    [place],
    targets.filter((target) => target.path !== path),
  );
}

/**
 * Brings content of the cache into the workspace as a target that says where it came from, and writes its pointer when all
 * of it is there. Unsaved work is kept and listed, and then the pointer stays as it was. Errors: those of checkout.
 */
export async function importTarget(
  repository: Repository,
  { path, content, source }: { path: RepositoryPath; content: StoredContent; source: PointerSource },
  options: ImportOptions,
): Promise<Imported> {
  const { layout, git, settings } = repository;
  const { force, stage = settings.stage, reporter, signal } = options;
  const before = (await loadTargets(repository)).targets.find((target) => target.path === path);
  const { oid, size, files, executable } = content;
  const pointer: Pointer = {
    path: nameOf(path),
    oid,
    size,
    ...(files !== undefined && { files }),
    ...(executable && { executable }),
  };
  const text = withSource(formatPointer(pointer, before?.text), source);
  const target: Target = { path, pointer, text };
  ensureRealDirectory(layout, parentOf(path));
  const report = await checkout(repository, [{ target, below: '' }], {
    force,
    ...(reporter && { reporter }),
    ...(signal && { signal }),
  });
  const left = [...report.refused, ...report.failed].some((each) => isWithin(each.path, path));
  if (left) return { pointer, checkout: report, files: [], staged: false };
  const ignoreFiles = ignoreInGit(repository, [path]);
  const file = pointerPathOf(path);
  if (text !== before?.text) writeTextFile(layout, file, text);
  const written = [file, ...ignoreFiles];
  if (stage) await git.stage(written);
  return { pointer, checkout: report, files: written, staged: stage };
}
