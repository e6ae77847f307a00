import { MlvError } from '../core/errors.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf, isOid, type Oid } from '../objects/oid.js';
import { checkTreeLevel, currentEntry, looksLikeTree, TREE_MAGIC, TreeReader } from '../objects/tree-format.js';
import { POINTER_SUFFIX, type Pointer, parsePointer } from '../workspace/pointer-format.js';
import { type PointerSource, readSource } from '../workspace/pointer-source.js';
import { readPointerText } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { ContentUse, ImportNode, LineageFacts, RunNode } from './lineage.js';
import type { RunRecord } from './run-record.js';
import { findRun } from './run-store.js';

/** More bytes than any pointer has. */
const POINTER_BYTES = 256 * 1024;

/** What lineage is asked of beside the pointers. */
export interface LineageSources {
  versions: LineageFacts['versions'];
  /** Contents that are asked about. */
  asked: readonly ContentUse[];
}

/** The facts, and what the cache lacked for more. */
export interface CollectedLineage {
  facts: LineageFacts;
  /** Oids of records of runs that are not in the cache. */
  missingRecords: Oid[];
  /** Oids of listings of directories that are not in the cache. */
  missingTrees: Oid[];
}

/**
 * Everything that pointers in any commit, index or working tree, and the versions, say of runs: the records of all of them,
 * and which contents lie in which directories. Reads the cache and Git only. Errors: `GIT_FAILED`, `FILE_SYSTEM`,
 * `FORMAT_TOO_NEW`.
 */
export async function collectLineage(repository: Repository, sources: LineageSources): Promise<CollectedLineage> {
  const { runs: oids, imports } = await pointed(repository);
  for (const { run } of sources.versions) if (run !== undefined && isOid(run)) oids.add(run);
  const missingRecords: Oid[] = [];
  const records = new Map<Oid, RunRecord>();
  for (const oid of oids) {
    const found = findRun(repository, oid);
    if (found) records.set(oid, found.record);
    else missingRecords.push(oid);
  }
  const runs = [...records].map(([oid, record]) => ({
    node: runNode(oid, record),
    inputs: record.inputs.map((input) => contentUse(input, input.kind === 'tracked')),
    outputs: record.outputs.map((output) => contentUse(output, true)),
  }));
  const containment = new Containment(repository, contentUses({ ...sources, runs, imports }));
  return {
    facts: { asked: sources.asked, runs, versions: sources.versions, imports, parts: containment.parts() },
    missingRecords,
    missingTrees: containment.missing,
  };
}

/** What pointers say of runs and imports anywhere in the repository's history: oids of records, and where content is from. */
async function pointed({ git, layout }: Repository): Promise<{ runs: Set<Oid>; imports: Imports }> {
  const files = await git.reachableFiles(POINTER_SUFFIX);
  const small = files.versions.filter(({ size = 0 }) => size <= POINTER_BYTES);
  const blobs = await git.readBlobs(small.map(({ blob }) => blob));
  const runs = new Set<Oid>();
  const imports = new Map<string, Imports[number]>();
  const add = (text: string | undefined, path: string): void => {
    const pointer = text === undefined ? undefined : pointerOf(text, path);
    if (pointer?.run) runs.add(pointer.run.oid);
    const source = pointer && readSource(text ?? '');
    if (!source) return;
    const node = importNode(source);
    const at = path.slice(0, -POINTER_SUFFIX.length);
    const content = contentUse({ oid: source.oid, path: at, ...(pointer.files !== undefined && pointer) }, true);
    imports.set(`${node.id}\0${source.oid}\0${at}`, { node, content });
  };
  for (const { path, blob } of small) add(blobs.get(blob)?.toString('utf8'), path);
  for (const { top, path } of files.files) add(readPointerText({ ...layout, worktree: top }, path), path);
  return { runs, imports: [...imports.values()] };
}

type Imports = NonNullable<LineageFacts['imports']>;

function importNode({ url, path, commit, etag, version }: PointerSource): ImportNode {
  const at = commit ?? version ?? etag;
  return {
    kind: 'import',
    id: `import:${url}${path === undefined ? '' : `#${path}`}${at === undefined ? '' : `@${at}`}`,
    url,
    ...(path !== undefined && { path }),
    ...(commit !== undefined && { commit }),
    ...(etag !== undefined && { etag }),
    ...(version !== undefined && { version }),
  };
}

/** A pointer that cannot be read says nothing; `mlv status` and `mlv fsck` tell of it. */
function pointerOf(text: string, path: string): Pointer | undefined {
  try {
    return parsePointer(text, path);
  } catch (error) {
    if (error instanceof MlvError) return undefined;
    throw error;
  }
}

function runNode(oid: Oid, { name, command, ended, commit, dirty }: RunRecord): RunNode {
  return {
    kind: 'run',
    id: oid,
    ...(name !== undefined && { name }),
    command: typeof command === 'string' ? command : command.join(' '),
    ended,
    ...(commit !== undefined && { commit }),
    dirty,
  };
}

function contentUse({ oid, path, files }: { oid: string; path: string; files?: number }, tracked: boolean): ContentUse {
  return { id: oid, path, ...(tracked && files !== undefined && { directory: true }) };
}

function contentUses({
  asked,
  runs,
  versions,
  imports = [],
}: Pick<LineageFacts, 'asked' | 'runs' | 'versions' | 'imports'>): ContentUse[] {
  return [
    ...asked,
    ...imports.map(({ content }) => content),
    ...runs.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
    ...versions.flatMap(({ artifacts, data }) => [...artifacts, ...data]),
  ];
}

/** Which of some contents lie in which of the others; each tree is read once, however many directories share it. */
class Containment {
  readonly missing: Oid[] = [];
  /** Oid by digest. */
  private readonly wanted = new Map<string, Oid>();
  private readonly directories = new Set<Oid>();
  private readonly known = new Map<string, ReadonlySet<string>>();

  constructor(
    private readonly repository: Repository,
    uses: readonly ContentUse[],
  ) {
    for (const { id, directory } of uses) {
      if (!isOid(id) || !id.startsWith(`${repository.hash.algorithm}:`)) continue;
      this.wanted.set(digestOf(id).toString('latin1'), id);
      if (directory) this.directories.add(id);
    }
  }

  /** By the oid of each directory among the contents. */
  parts(): Map<string, ReadonlySet<string>> {
    const found = new Map<string, ReadonlySet<string>>();
    for (const oid of this.wanted.values()) {
      if (!this.directories.has(oid) && !this.isListing(oid)) continue;
      const parts = this.below(digestOf(oid), 0);
      if (parts.size > 0) found.set(oid, parts);
    }
    return found;
  }

  /** An oid that was asked for by hand does not say what it is of. */
  private isListing(oid: Oid): boolean {
    const { cache } = this.repository;
    return cache.has(oid) && looksLikeTree(cache.peek(oid, TREE_MAGIC.length));
  }

  private below(digest: Buffer, level: number): ReadonlySet<string> {
    const key = digest.toString('latin1');
    const known = this.known.get(key);
    if (known) return known;
    const found = new Set<string>();
    const bytes = this.read(digest, level);
    const reader = bytes && new TreeReader(bytes);
    while (reader?.next()) {
      const entry = currentEntry(reader);
      if (entry.kind === 'link') continue;
      const part = this.wanted.get(entry.digest.toString('latin1'));
      if (part !== undefined) found.add(part);
      if (entry.kind === 'tree') for (const each of this.below(entry.digest, level + 1)) found.add(each);
    }
    this.known.set(key, found);
    return found;
  }

  private read(digest: Buffer, level: number): Buffer | undefined {
    const { cache } = this.repository;
    const oid = cache.oid(digest);
    try {
      checkTreeLevel(level);
      return cache.read(oid);
    } catch (error) {
      if (!isObjectError(error)) throw error;
      this.missing.push(oid);
      return undefined;
    }
  }
}
