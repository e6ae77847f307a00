import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { checkTreeLevel, KIND, TreeReader } from '../objects/tree-format.js';
import { isDirectoryTarget, type Target } from './pointers.js';
import type { Repository } from './repository.js';

/**
 * How many objects of a target the cache lacks that none of some former targets names. Of a partial directory most are not
 * here, and were somewhere when they were recorded. A former listing that is not here is known by its digest alone.
 */
export function missingNew(repository: Repository, target: Target, former: readonly Target[]): number {
  const known = new Set<string>();
  for (const each of former) {
    const digest = digestOf(each.pointer.oid);
    if (isDirectoryTarget(each)) addTree(repository, { digest, level: 0 }, known);
    else known.add(digest.toString('latin1'));
  }
  const digest = digestOf(target.pointer.oid);
  if (isDirectoryTarget(target)) return countMissing(repository, { digest, level: 0 }, known);
  return isKnown(repository, { digest, size: target.pointer.size }, known) ? 0 : 1;
}

interface TreeAt {
  digest: Buffer;
  level: number;
}

/** Each tree is read once: `known` has it from then on. */
function addTree(repository: Repository, { digest, level }: TreeAt, known: Set<string>): void {
  const key = digest.toString('latin1');
  if (known.has(key)) return;
  known.add(key);
  const reader = readTree(repository, { digest, level });
  while (reader?.next()) {
    const below = Buffer.from(reader.digest);
    if (reader.kind === KIND.tree) addTree(repository, { digest: below, level: level + 1 }, known);
    else if (reader.kind !== KIND.link) known.add(below.toString('latin1'));
  }
}

function countMissing(repository: Repository, { digest, level }: TreeAt, known: Set<string>): number {
  const key = digest.toString('latin1');
  if (known.has(key)) return 0;
  known.add(key);
  const reader = readTree(repository, { digest, level });
  if (!reader) return 1;
  let missing = 0;
  while (reader.next()) {
    if (reader.kind === KIND.link) continue;
    const below = Buffer.from(reader.digest);
    if (reader.kind === KIND.tree) missing += countMissing(repository, { digest: below, level: level + 1 }, known);
    else if (!isKnown(repository, { digest: below, size: reader.size }, known)) missing++;
  }
  return missing;
}

function isKnown(
  { cache }: Repository,
  { digest, size }: { digest: Buffer; size: number },
  known: ReadonlySet<string>,
): boolean {
  return known.has(digest.toString('latin1')) || cache.hasHex(digest.toString('hex'), size);
}

/** Undefined where the cache has no such tree, or a damaged one. */
function readTree({ cache }: Repository, { digest, level }: TreeAt): TreeReader | undefined {
  try {
    checkTreeLevel(level);
    return new TreeReader(cache.read(cache.oid(digest)));
  } catch (error) {
    if (isObjectError(error)) return undefined;
    throw error;
  }
}
