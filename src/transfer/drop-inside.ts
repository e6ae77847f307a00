import { MlvError } from '../core/errors.js';
import { inShellQuotes, shellQuote } from '../core/shell-quote.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { entryAt } from '../objects/tree-diff.js';
import { checkTreeLevel, decodeTree, type TreeEntry } from '../objects/tree-format.js';
import { whileAlone } from '../workspace/cache-use.js';
import { lookAtUnwanted, removeUnwanted, type UnwantedLook } from '../workspace/narrow.js';
import { changeParts } from '../workspace/part-store.js';
import { isWithin, parentOf } from '../workspace/paths.js';
import type { Selection, Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { WantedPart } from '../workspace/wanted-part.js';
import { cacheLoader } from '../workspace/workspace-trees.js';
import type { LiveRoot } from './collection-mark.js';
import { type DropOptions, type DroppedTarget, type DropReport, neededHere, requireProof } from './drop.js';
import type { TransferContext } from './open-transfer.js';
import { type ProofWanted, proveOnRemotes } from './prove.js';

type Inside = Selection & { path: string; entry: Exclude<TreeEntry, { kind: 'link' }> };

/**
 * As drop, for paths inside tracked directories: the bytes go, and the paths are not wanted here any more. Listings stay in
 * the cache. The proof is that a remote has all of the path, and for a file all of the directory that it lies in. Errors:
 * as drop, `PATH_NOT_FOUND`.
 */
export async function dropInside(
  context: TransferContext,
  selections: readonly Selection[],
  options: DropOptions = {},
): Promise<DropReport> {
  const { repository } = context;
  const inside = selections.map((selection) => insideOf(repository, selection));
  const looks = await lookAll(context, inside);
  const proofs = await proveOnRemotes(
    context,
    inside.map((each) => rootOf(repository, each)),
    options,
  );
  const roots = new Map(inside.map((each) => [each.path, rootOf(repository, each).oid]));
  requireProof(
    inside.map(({ path }) => ({ path, oid: roots.get(path) as Oid })),
    proofs,
  );
  const report: DropReport = { dryRun: options.dryRun ?? false, targets: [], cache: { objects: 0, bytes: 0 } };
  for (const { path, entry } of inside) {
    report.targets.push({
      path,
      oid: repository.cache.oid(entry.digest),
      size: entry.size,
      remote: proofs.proven.get(roots.get(path) as Oid) as string,
      workspace: isHere(looks, path),
    } satisfies DroppedTarget);
  }
  const work = async (): Promise<void> => {
    const going = options.keepCache ? [] : await contentOnlyOf(repository, inside, (await options.others?.()) ?? []);
    if (!report.dryRun) for (const look of looks) takeOut(repository, look);
    for (const { oid, bytes } of going) {
      if (!report.dryRun) repository.cache.remove(oid);
      report.cache.objects++;
      report.cache.bytes += bytes;
    }
  };
  await (report.dryRun || options.keepCache ? work() : whileAlone(repository.cache.directory, repository.use, work));
  return report;
}

function insideOf({ cache }: Repository, selection: Selection): Inside {
  const { target, below } = selection;
  const path = `${target.path}/${below}`;
  const entry = entryAt(digestOf(target.pointer.oid), below, cacheLoader(cache));
  if (entry && entry.kind !== 'link') return { ...selection, path, entry };
  throw new MlvError('PATH_NOT_FOUND', `'${path}' is no file or directory of the tracked directory '${target.path}'`, {
    hint: `mlv ls ${shellQuote(target.path)} shows what is`,
    data: { path },
  });
}

/** What is proved for a path: it, or for a file, whose record may be that of its directory, that. */
function rootOf({ cache }: Repository, { target, below, path, entry }: Inside): ProofWanted {
  const { remote } = target.pointer;
  if (entry.kind === 'tree') {
    return { oid: cache.oid(entry.digest), directory: true, size: entry.size, path, remote };
  }
  const above = entryAt(digestOf(target.pointer.oid), parentOf(below), cacheLoader(cache)) as typeof entry;
  return { oid: cache.oid(above.digest), directory: true, size: above.size, path, remote };
}

/** One look a tracked directory; changed content in what is to go is refused before anything does. */
async function lookAll({ repository, signal }: TransferContext, inside: readonly Inside[]): Promise<UnwantedLook[]> {
  const byTarget = new Map<Target, string[]>();
  for (const { target, below } of inside) byTarget.set(target, [...(byTarget.get(target) ?? []), below]);
  const looks: UnwantedLook[] = [];
  for (const [target, paths] of byTarget) {
    // Everything but the paths, so that what else is here and not wanted is left alone.
    const part = paths.reduce((sum, path) => sum.except(path), WantedPart.everything);
    // That a remote has it is proved; the file itself must be as the tree says.
    looks.push(await lookAtUnwanted(repository, { target, part }, { isSaved: () => true, ...(signal && { signal }) }));
  }
  const [first] = looks.flatMap(({ kept }) => kept);
  if (first === undefined) return looks;
  throw new MlvError('UNSAVED_CHANGES', `'${first}' differs from its pointer; nothing was dropped`, {
    hint: `record it: mlv add ${inShellQuotes(first)} && mlv push   (or throw the changes away: mlv checkout --force ${inShellQuotes(first)})`,
    data: { paths: looks.flatMap(({ kept }) => kept) },
  });
}

function isHere(looks: readonly UnwantedLook[], path: string): boolean {
  return looks.some(({ target, walk }) => {
    if (!isWithin(path, target.path)) return false;
    let block: typeof walk.root | undefined = walk.root;
    const parts = path.slice(target.path.length + 1).split('/');
    for (const part of parts.slice(0, -1)) block = block?.childNamed(part);
    return block !== undefined && block.find(parts.at(-1) as string) >= 0;
  });
}

/** What is wanted is written down first: what a kill leaves counts as here. */
function takeOut(repository: Repository, look: UnwantedLook): void {
  const { target, part } = look;
  changeParts(repository.layout, [target.path], (wanted) =>
    part.without.reduce((sum, path) => sum.except(path), wanted ?? WantedPart.everything),
  );
  const { kept } = removeUnwanted(repository, look);
  if (kept.length === 0) return;
  throw new MlvError('UNSAVED_CHANGES', `'${kept[0]}' was written to meanwhile, and was kept`, {
    hint: 'look at it, and run mlv drop again',
    data: { paths: kept },
  });
}

/** Objects of files at and below the paths that nothing else names which is needed here. */
async function contentOnlyOf(
  repository: Repository,
  inside: readonly Inside[],
  others: readonly LiveRoot[],
): Promise<{ oid: Oid; bytes: number }[]> {
  const { cache } = repository;
  const targets = [...new Set(inside.map(({ target }) => target))];
  const needed = await neededHere(repository, new Set(targets.map(({ path }) => path)), others);
  const going = new Set<string>();
  for (const target of targets) {
    const dropped = inside.filter((each) => each.target === target).map(({ below }) => below);
    eachFile(repository, target, (path, hex) => {
      if (dropped.some((below) => isWithin(path, below))) going.add(hex);
      else needed.add(hex);
    });
  }
  const gone: { oid: Oid; bytes: number }[] = [];
  for (const hex of going) {
    const oid = cache.oid(hex);
    const stat = needed.has(hex) ? undefined : cache.stat(oid);
    if (stat) gone.push({ oid, bytes: stat.size });
  }
  return gone;
}

/** Every file of a target, as far as listings are here. */
function eachFile({ cache }: Repository, { pointer }: Target, visit: (path: string, hex: string) => void): void {
  const load = cacheLoader(cache);
  const visitTree = (digest: Buffer, at: { path: string; level: number }): void => {
    try {
      checkTreeLevel(at.level);
      for (const entry of decodeTree(load(digest))) {
        const path = at.path === '' ? entry.name : `${at.path}/${entry.name}`;
        if (entry.kind === 'tree') visitTree(entry.digest, { path, level: at.level + 1 });
        else if (entry.kind !== 'link') visit(path, entry.digest.toString('hex'));
      }
    } catch (error) {
      if (!isObjectError(error)) throw error;
    }
  };
  visitTree(digestOf(pointer.oid), { path: '', level: 0 });
}
