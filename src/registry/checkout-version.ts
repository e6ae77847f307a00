import { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import type { EarlyCopies } from '../objects/early-copy.js';
import type { Oid } from '../objects/oid.js';
import { checkPlace } from '../workspace/add-targets.js';
import { checkout } from '../workspace/checkout.js';
import type { CheckoutReport } from '../workspace/checkout-directory.js';
import { ignoreInGit } from '../workspace/git-ignore-file.js';
import { ensureRealDirectory, isWithin, parentOf, type RepositoryPath } from '../workspace/paths.js';
import { writeTextFile } from '../workspace/pointer-write.js';
import { loadTargets, pointerPathOf, readPointerText, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { unsavedPointers } from './unsaved-pointers.js';

export interface CheckoutVersionOptions {
  /** Overwrite files and pointers whose content is saved nowhere. */
  force?: boolean;
  /** True for an oid that the registry knows: a pointer that names it can be had again. */
  isRegistered: (oid: Oid) => boolean;
  reporter?: Reporter;
  signal?: AbortSignal;
  /** Copies of large files that a fetch before it wrote. */
  copies?: EarlyCopies | undefined;
}

/** What became of the workspace. */
export interface CheckoutVersionReport {
  checkout: CheckoutReport;
  /** Pointers that were written. */
  pointers: RepositoryPath[];
  /** Pointers that stand in the way with what is saved nowhere; they and their targets were left alone. */
  refusedPointers: RepositoryPath[];
}

/**
 * Brings targets of a version into the workspace: their bytes from the cache, then their pointers, as `git restore
 * --source` would; HEAD and the index stay. Unsaved work is kept and listed; a pointer is written when its target is
 * there as a whole. Errors: `TARGETS_OVERLAP`, `TRACKED_BY_GIT`, those of checkPlace and
 * of checkout.
 */
export async function checkoutVersion(
  repository: Repository,
  targets: readonly Target[],
  options: CheckoutVersionOptions,
): Promise<CheckoutVersionReport> {
  const { force = false, isRegistered, reporter, signal, copies } = options;
  for (const { path } of targets) checkPlace(repository, path);
  await refuseOverlaps(repository, targets);
  await refuseGitFiles(repository, targets);
  const inTheWay = force ? [] : await unsavedPointers(repository, targets, isRegistered);
  const free = targets.filter(({ path }) => !inTheWay.includes(path));
  const report = await checkout(
    repository,
    free.map((target) => ({ target, below: '' })),
    { force, copies, ...(reporter && { reporter }), ...(signal && { signal }) },
  );
  const left = [...report.refused, ...report.failed].map(({ path }) => path);
  const whole = free.filter(({ path }) => !left.some((each) => isWithin(each, path)));
  return {
    checkout: report,
    pointers: writePointers(repository, whole),
    refusedPointers: inTheWay.map(pointerPathOf),
  };
}

function writePointers(repository: Repository, targets: readonly Target[]): RepositoryPath[] {
  const { layout } = repository;
  ignoreInGit(
    repository,
    targets.map(({ path }) => path),
  );
  const written: RepositoryPath[] = [];
  for (const { path, text } of targets) {
    const file = pointerPathOf(path);
    if (readPointerText(layout, file) === text) continue;
    ensureRealDirectory(layout, parentOf(file));
    writeTextFile(layout, file, text);
    written.push(file);
  }
  return written;
}

/** What lies inside one another cannot be tracked twice. */
async function refuseOverlaps(repository: Repository, targets: readonly Target[]): Promise<void> {
  const { targets: here } = await loadTargets(repository);
  for (const { path } of targets) {
    const other = here.find((each) => each.path !== path && (isWithin(each.path, path) || isWithin(path, each.path)));
    if (!other) continue;
    throw new MlvError('TARGETS_OVERLAP', `the version has '${path}', and '${other.path}' is tracked here`, {
      hint: 'bring the version into a worktree of its own: git worktree add',
      data: { path, other: other.path },
    });
  }
}

async function refuseGitFiles(repository: Repository, targets: readonly Target[]): Promise<void> {
  const [file] = await repository.git.trackedFiles(targets.map(({ path }) => path));
  if (file === undefined) return;
  throw new MlvError('TRACKED_BY_GIT', `the version has '${file}', which Git tracks here`, {
    hint: 'bring the version into a worktree of its own: git worktree add',
    data: { path: file },
  });
}
