import { MlvError } from '../core/errors.js';
import { isGitDirectoryName } from '../objects/entry-name.js';
import { isOid } from '../objects/oid.js';
import { isWithin, nameOf, type RepositoryPath } from '../workspace/paths.js';
import { formatPointer, type Pointer, targetNameProblem } from '../workspace/pointer-format.js';
import { loadTargetsAt, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { Manifest, ManifestItem } from './manifest.js';
import type { ClosureMember } from './version-closure.js';

/**
 * The targets of a version and of what it consists of, each once, in the order of their paths: pointers as the version's
 * commit has them, with the manifest's oid where it says another. Where the commit is not in this clone, pointers are
 * made from the manifest alone. Errors: `TARGETS_OVERLAP` where two versions want different content at one path,
 * `POINTER_UNSAFE`.
 */
export async function versionTargets(
  repository: Repository,
  members: readonly ClosureMember[],
  { artifactsOnly = false }: { artifactsOnly?: boolean } = {},
): Promise<Target[]> {
  const chosen = new Map<RepositoryPath, { target: Target; version: string }>();
  for (const { manifest } of members) {
    const version = `${manifest.model}@${manifest.version}`;
    const committed = await committedTargets(repository, manifest);
    for (const item of artifactsOnly ? manifest.artifacts : [...manifest.artifacts, ...manifest.data]) {
      const target = toTarget(item, committed.get(item.path), version);
      const before = chosen.get(target.path);
      if (before && before.target.pointer.oid !== target.pointer.oid)
        throw twoContents(target.path, before.version, version);
      if (!before) chosen.set(target.path, { target, version });
    }
  }
  const targets = [...chosen.values()].map(({ target }) => target);
  targets.sort((left, right) => (left.path < right.path ? -1 : 1));
  refuseNested(targets);
  return targets;
}

async function committedTargets(repository: Repository, { commit }: Manifest): Promise<Map<RepositoryPath, Target>> {
  if (!(await repository.git.hasCommit(commit))) return new Map();
  const { targets } = await loadTargetsAt(repository, { kind: 'revision', revision: commit });
  return new Map(targets.map((target) => [target.path, target]));
}

/**
 * What somebody else says of a tracked file or directory, as a target: its path and oid decide what is written where.
 * `committed` is the target that stands at the path, whose pointer's other keys are kept. Error: `POINTER_UNSAFE`.
 */
export function toTarget(
  item: Pick<ManifestItem, 'path' | 'oid' | 'size' | 'files' | 'executable'>,
  committed: Target | undefined,
  version: string,
): Target {
  const { path, oid, size, files, executable } = item;
  const name = nameOf(path);
  const unsafe = path.split('/').find((part) => isGitDirectoryName(part) || targetNameProblem(part) !== undefined);
  if (unsafe !== undefined || path === 'mlv.yaml' || !isOid(oid)) {
    throw new MlvError('POINTER_UNSAFE', `${version} names '${path}', where nothing may be written`, {
      data: { path, version },
    });
  }
  if (committed?.pointer.oid === oid) return committed;
  const pointer: Pointer = {
    path: name,
    oid,
    size,
    ...(files !== undefined && { files }),
    ...(executable && { executable }),
  };
  const text = formatPointer(pointer, committed?.text);
  return {
    path,
    text,
    pointer: { ...pointer, ...(committed?.pointer.remote && { remote: committed.pointer.remote }) },
  };
}

function twoContents(path: RepositoryPath, first: string, second: string): MlvError {
  return new MlvError('TARGETS_OVERLAP', `${first} and ${second} have different content at '${path}'`, {
    hint: `bring them into separate clones or worktrees: git worktree add`,
    data: { path, versions: [first, second] },
  });
}

function refuseNested(targets: readonly Target[]): void {
  for (const [at, { path }] of targets.entries()) {
    const inner = targets.slice(at + 1).find((each) => isWithin(each.path, path));
    if (!inner) continue;
    throw new MlvError('TARGETS_OVERLAP', `'${inner.path}' lies inside '${path}', and the version names both`, {
      data: { path: inner.path },
    });
  }
}
