import { isDeepStrictEqual } from 'node:util';
import { parseYamlDocument } from '../core/read-yaml.js';
import type { HashFunction } from '../objects/hash.js';
import { digestOf, type Oid, toOid } from '../objects/oid.js';
import type { ConflictKind, TreeConflict } from '../objects/tree-conflict.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { mergeTrees } from '../objects/tree-merge.js';
import { formatPointer, type Pointer } from './pointer-format.js';

/** A pointer on one side of a merge. */
export interface PointerSide {
  pointer: Pointer;
  text: string;
}

/** A pointer on all sides; `base` is undefined where they have no common beginning, or one that cannot be read. */
export interface PointerSides {
  base: PointerSide | undefined;
  ours: PointerSide;
  theirs: PointerSide;
}

/** What one side has at a path in conflict. */
export interface ConflictSide {
  kind: TreeEntry['kind'];
  /** Bytes; of a directory, of all files in it. */
  size: number;
  /** Of a file or directory. */
  oid?: Oid;
}

/** Something that both sides changed, each in its own way. */
export interface PointerConflict {
  /** Path below the target; empty for all of it. */
  path: string;
  /** `key` is a key of the pointer. */
  kind: ConflictKind | 'key';
  key?: string;
  ours?: ConflictSide;
  theirs?: ConflictSide;
}

/** What a conflict becomes: a side; or `left`, ours where that is there, and theirs where we deleted it. */
export type Winner = 'ours' | 'theirs' | 'base' | 'left';

export interface PointerMergeTools {
  hash: HashFunction;
  load: TreeLoader;
  /** Takes the trees that no side has. */
  store: (digest: Buffer, bytes: Buffer) => void;
  choose: (conflict: PointerConflict) => Winner;
}

/** What came of a merge. */
export interface MergedPointer {
  pointer: Pointer;
  text: string;
  conflicts: PointerConflict[];
  /** True where a side named a run, and the result is what no run made. */
  runDropped: boolean;
}

/** Keys that say what the content is: they are merged as one. */
const CONTENT_KEYS = new Set(['mlv', 'path', 'oid', 'size', 'files', 'executable', 'run']);

/**
 * Merges a pointer three-way: directories file by file, other content as a whole, each further key on its own. `name` is
 * what the merged pointer names. Content that no run made is said to come of none. Errors: those of `load`,
 * `TREE_INVALID`.
 */
export function mergePointers(sides: PointerSides, name: string, tools: PointerMergeTools): MergedPointer {
  const conflicts: PointerConflict[] = [];
  const content = mergeContent(sides, conflicts, tools);
  const run = mergedRun(sides, content.oid);
  const pointer: Pointer = { path: name, ...content, ...(run && { run }) };
  const before = sides.ours.text;
  const text = withKeys(formatPointer(pointer, before), mergedKeys(sides, conflicts, tools));
  const either = [sides.ours.pointer, sides.theirs.pointer];
  const runDropped = either.every(({ oid }) => oid !== pointer.oid) && either.some((side) => side.run !== undefined);
  return { pointer, text, conflicts, runDropped };
}

type Content = Pick<Pointer, 'oid' | 'size' | 'files' | 'executable'>;

function contentOf({ oid, size, files, executable }: Pointer): Content {
  return { oid, size, ...(files !== undefined && { files }), ...(executable && { executable }) };
}

function mergeContent(sides: PointerSides, conflicts: PointerConflict[], tools: PointerMergeTools): Content {
  const [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map((side) => side && contentOf(side.pointer));
  const mine = ours as Content;
  const yours = theirs as Content;
  if (isDeepStrictEqual(mine, yours) || isDeepStrictEqual(base, yours)) return mine;
  if (isDeepStrictEqual(base, mine)) return yours;
  if (mine.files !== undefined && yours.files !== undefined)
    return mergeDirectory({ base, mine, yours }, conflicts, tools);
  if (mine.files === undefined && yours.files === undefined) {
    const merged = mergeFile(base, mine, yours);
    if (merged) return merged;
  }
  const oneType = (mine.files === undefined) === (yours.files === undefined);
  const kind = !oneType ? 'type' : base ? 'both-modified' : 'both-added';
  const conflict: PointerConflict = { path: '', kind, ours: wholeSide(mine), theirs: wholeSide(yours) };
  conflicts.push(conflict);
  const winner = tools.choose(conflict);
  return winner === 'theirs' ? yours : winner === 'base' && base ? base : mine;
}

/** Undefined where both changed the bytes. */
function mergeFile(base: Content | undefined, mine: Content, yours: Content): Content | undefined {
  const before = base?.files === undefined ? base : undefined;
  if (mine.oid !== yours.oid && before?.oid !== mine.oid && before?.oid !== yours.oid) return undefined;
  const { oid, size } = before?.oid === mine.oid ? yours : mine;
  const [here, there] = [mine.executable === true, yours.executable === true];
  const executable = here === there ? here : before?.executable !== true;
  return { oid, size, ...(executable && { executable }) };
}

function mergeDirectory(
  { base, mine, yours }: { base: Content | undefined; mine: Content; yours: Content },
  conflicts: PointerConflict[],
  { hash, load, store, choose }: PointerMergeTools,
): Content {
  const digests = {
    base: base?.files === undefined ? undefined : digestOf(base.oid),
    ours: digestOf(mine.oid),
    theirs: digestOf(yours.oid),
  };
  const merged = mergeTrees(digests, {
    hash,
    load,
    store,
    choose: (conflict) => entryOf(conflict, choose(pointerConflict(conflict, hash))),
  });
  for (const conflict of merged.conflicts) conflicts.push(pointerConflict(conflict, hash));
  return { oid: toOid(hash.algorithm, merged.digest), size: merged.size, files: merged.files };
}

function entryOf({ base, ours, theirs }: TreeConflict, winner: Winner): TreeEntry | undefined {
  if (winner === 'left') return ours ?? theirs;
  return { base, ours, theirs }[winner];
}

function pointerConflict({ path, kind, ours, theirs }: TreeConflict, hash: HashFunction): PointerConflict {
  const side = (entry: TreeEntry): ConflictSide =>
    entry.kind === 'link'
      ? { kind: 'link', size: 0 }
      : { kind: entry.kind, size: entry.size, oid: toOid(hash.algorithm, entry.digest) };
  return { path, kind, ...(ours && { ours: side(ours) }), ...(theirs && { theirs: side(theirs) }) };
}

function wholeSide({ oid, size, files, executable }: Content): ConflictSide {
  return { kind: files !== undefined ? 'tree' : executable ? 'executable' : 'file', size, oid };
}

/** The run that made the merged content: that of a side that has this content, or none. */
function mergedRun({ base, ours, theirs }: PointerSides, oid: Oid): Pointer['run'] {
  const [before, mine, yours] = [base, ours, theirs].map((side) =>
    side?.pointer.oid === oid ? side.pointer.run : undefined,
  );
  return mine && !isDeepStrictEqual(mine, before) ? mine : (yours ?? mine);
}

/** What the further keys become, where that is not what our side has: undefined for a key that goes. */
function mergedKeys(sides: PointerSides, conflicts: PointerConflict[], tools: PointerMergeTools): Map<string, unknown> {
  const [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map((side) => (side ? keysOf(side.text) : {}));
  const changes = new Map<string, unknown>();
  for (const key of new Set([...Object.keys(ours ?? {}), ...Object.keys(theirs ?? {})])) {
    if (CONTENT_KEYS.has(key)) continue;
    const [was, mine, yours] = [base?.[key], ours?.[key], theirs?.[key]];
    if (isDeepStrictEqual(mine, yours) || isDeepStrictEqual(was, yours)) continue;
    const both = isDeepStrictEqual(was, mine) ? { value: yours } : mergedLabels(was, mine, yours);
    if (both) {
      changes.set(key, both.value);
      continue;
    }
    const conflict: PointerConflict = { path: '', kind: 'key', key };
    conflicts.push(conflict);
    const winner = tools.choose(conflict);
    if (winner === 'theirs' || winner === 'base') changes.set(key, winner === 'theirs' ? yours : was);
  }
  return changes;
}

/** Lists of texts, such as labels, have what either added and lack what either removed; other values are not merged. */
function mergedLabels(was: unknown, mine: unknown, yours: unknown): { value: string[] } | undefined {
  const before = was ?? [];
  if (!isTexts(before) || !isTexts(mine) || !isTexts(yours)) return undefined;
  const kept = mine.filter((each) => yours.includes(each) || !before.includes(each));
  const added = yours.filter((each) => !mine.includes(each) && !before.includes(each));
  return { value: [...kept, ...added] };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function keysOf(text: string): Record<string, unknown> {
  return parseYamlDocument(text, { schema: 'core' }).toJS({ maxAliasCount: 0 }) as Record<string, unknown>;
}

function withKeys(text: string, changes: ReadonlyMap<string, unknown>): string {
  if (changes.size === 0) return text;
  const document = parseYamlDocument(text, { schema: 'core' });
  for (const [key, value] of changes) {
    if (value === undefined) document.delete(key);
    else document.set(key, document.createNode(value));
  }
  return document.toString({ lineWidth: 0 });
}
