import type { MlvError } from '../core/errors.js';
import { type Oid, splitOid } from '../objects/oid.js';
import { ReachableObjects } from '../objects/reachable-objects.js';
import { whileAlone } from '../workspace/cache-use.js';
import type { Repository } from '../workspace/repository.js';
import type { LiveRoot } from './collection-mark.js';
import { linkedObjects } from './drop.js';
import { type KeptGroup, type LocalRootOptions, type LocalRoots, type LocalScope, localRoots } from './local-roots.js';
import { type Named, treesMissing, UnnamedObjects } from './local-unnamed.js';
import type { TransferContext } from './open-transfer.js';
import { type ProofWanted, proveOnRemotes } from './prove.js';

export interface LocalOptions extends LocalRootOptions {
  scope: LocalScope;
  dryRun: boolean;
  /** Take away also what nothing names and no remote has, where it is older than this (ms); undefined keeps it. */
  unnamedAfterMs: number | undefined;
  /** What other repositories need that share the cache. */
  others: () => Promise<LiveRoot[]>;
  now: () => number;
}

/** Objects and their bytes. */
export interface ObjectCount {
  objects: number;
  bytes: number;
}

/** A version of a target that leaves the cache. */
export interface LocalVersion extends ObjectCount {
  /** Path of the target; `path (model@version)` for what the registry names. */
  path: string;
  /** A commit that has it; null for what no commit has. */
  commit: string | null;
  oid: Oid;
  /** The remote that was proved to have it. */
  remote: string;
}

export interface LocalReport {
  dryRun: boolean;
  directory: string;
  /** What the cache held before. */
  held: ObjectCount;
  /** Of that, what is kept, each object counted for the first reason that keeps it. */
  kept: (ObjectCount & { reason: KeptGroup['reason'] })[];
  removed: ObjectCount & {
    versions: LocalVersion[];
    /** What nothing names; `proven` is on a remote all the same. */
    unnamed: { proven: ObjectCount; lost: ObjectCount };
  };
  /** Outside of the scope, and kept because no remote was proved to have it. */
  unproven: { path: string; commit: string | null; oid: Oid }[];
  /** Named by nothing, and kept because no remote has it, or because it is young. */
  unnamed: ObjectCount;
  /** Why remotes could not be asked. */
  errors: MlvError[];
}

/**
 * Takes out of the cache what the scope does not need and a remote was proved to have (see proveOnRemotes), and on request
 * what nothing names. Everything slow is done beside the work of others; for the moment in which objects are removed the
 * collection is alone with the cache (see whileAlone), and looks once more at what is needed. What others are made of is
 * removed before them, so that a collection that was killed is finished by the next. Errors: as localRoots; `OBJECT_CORRUPT`
 * where a tree that is needed is damaged; `OBJECT_MISSING` where something that is named nowhere else cannot be told from
 * what a lost tree names; `CACHE_BUSY`, `FILE_SYSTEM`.
 */
export async function collectLocal(context: TransferContext, options: LocalOptions): Promise<LocalReport> {
  return new LocalCollection(context, options).run();
}

class LocalCollection {
  private readonly held = new Map<string, number>();
  private readonly live: ReachableObjects;
  private readonly report: LocalReport;
  private readonly going = new Going();
  private counting: ObjectCount | undefined;

  constructor(
    private readonly context: TransferContext,
    private readonly options: LocalOptions,
  ) {
    const { cache } = this.repository;
    this.live = new ReachableObjects(cache, (hex) => this.count(hex));
    const none = (): ObjectCount => ({ objects: 0, bytes: 0 });
    this.report = {
      dryRun: options.dryRun,
      directory: cache.directory,
      held: none(),
      kept: [],
      removed: { ...none(), versions: [], unnamed: { proven: none(), lost: none() } },
      unproven: [],
      unnamed: none(),
      errors: [],
    };
  }

  private get repository(): Repository {
    return this.context.repository;
  }

  async run(): Promise<LocalReport> {
    const { cache } = this.repository;
    for (const { oid, size } of cache.list()) {
      this.held.set(splitOid(oid).hex, size);
      add(this.report.held, size);
    }
    const roots = await this.roots();
    for (const group of await this.groups(roots)) this.keep(group);
    await this.versionsOutside(roots);
    await this.unnamed(roots);
    const going = this.going.inOrder();
    if (!this.options.dryRun && going.length > 0)
      await whileAlone(cache.directory, this.repository.use, () => this.sweep(going, roots));
    for (const hex of going) if (!this.live.hexes.has(hex)) add(this.report.removed, this.held.get(hex) ?? 0);
    return this.report;
  }

  private roots(): Promise<LocalRoots> {
    return localRoots(this.repository, this.options.scope, this.options);
  }

  private async groups({ groups }: LocalRoots): Promise<KeptGroup[]> {
    const { cache, git } = this.repository;
    const links = linkedObjects(cache, await git.worktrees()).map((hex) => ({
      oid: cache.oid(hex),
      path: '',
      directory: false,
    }));
    const others = await this.options.others();
    return [...groups, { reason: 'links', roots: links }, { reason: 'other repositories', roots: others }];
  }

  private keep({ reason, roots }: KeptGroup): void {
    const count = { objects: 0, bytes: 0 };
    this.counting = count;
    for (const { oid, directory } of roots) this.live.add(oid, directory);
    this.counting = undefined;
    if (count.objects > 0) this.report.kept.push({ reason, ...count });
  }

  private count(hex: string): void {
    const size = this.held.get(hex);
    if (size !== undefined && this.counting) add(this.counting, size);
  }

  /** What only versions outside of the scope need, and a remote has. */
  private async versionsOutside({ named, origins }: LocalRoots): Promise<void> {
    const outside = named.filter(({ oid }) => {
      const { hex } = splitOid(oid);
      return this.held.has(hex) && !this.live.hexes.has(hex);
    });
    const wanted = outside.map((root) => this.wanted(root, origins.get(root.oid)?.remote));
    const { proven, errors } = await this.prove(wanted);
    this.report.errors.push(...errors);
    const unproven = outside.filter(({ oid }) => !proven.has(oid));
    this.keep({ reason: 'unproven', roots: unproven });
    const commitOf = (oid: Oid): string | null => origins.get(oid)?.commit ?? null;
    this.report.unproven = unproven.map(({ oid, path }) => ({ path, commit: commitOf(oid), oid }));
    let count = { objects: 0, bytes: 0 };
    const below = new ReachableObjects(this.repository.cache, (hex, isTree) => {
      const size = this.held.get(hex);
      if (size === undefined || this.live.hexes.has(hex)) return;
      this.going.add(hex, isTree);
      add(count, size);
    });
    for (const { oid, path, directory } of outside) {
      const remote = proven.get(oid);
      if (remote === undefined) continue;
      count = { objects: 0, bytes: 0 };
      below.add(oid, directory);
      if (count.objects > 0) this.report.removed.versions.push({ path, commit: commitOf(oid), oid, ...count, remote });
    }
  }

  /** What nothing names: on a remote all the same, or, on request, old enough. */
  private async unnamed(roots: LocalRoots): Promise<void> {
    const { cache } = this.repository;
    const { unnamedAfterMs, now } = this.options;
    const named = this.named(roots);
    const unnamed = new UnnamedObjects(cache, { held: this.held, named });
    const { proven } = await this.prove(unnamed.tops().map((root) => this.wanted(root, undefined)));
    if (unnamedAfterMs !== undefined) await this.requireTold(named, roots);
    const gone = new Set(unnamed.below([...proven.keys()]));
    for (const hex of gone) {
      this.going.add(hex, unnamed.isTree(hex));
      add(this.report.removed.unnamed.proven, this.held.get(hex) ?? 0);
    }
    for (const hex of unnamed.hexes()) {
      if (gone.has(hex)) continue;
      const size = this.held.get(hex) ?? 0;
      const stat = unnamedAfterMs === undefined ? undefined : cache.stat(cache.oid(hex));
      const isOld = stat !== undefined && now() - stat.ctimeMs >= (unnamedAfterMs ?? 0);
      if (isOld) this.going.add(hex, unnamed.isTree(hex));
      add(isOld ? this.report.removed.unnamed.lost : this.report.unnamed, size);
    }
  }

  private named({ named }: LocalRoots): Named {
    const below = new ReachableObjects(this.repository.cache);
    for (const { oid, directory } of named) below.add(oid, directory);
    return { hexes: new Set([...this.live.hexes, ...below.hexes]), unknown: below.unknown };
  }

  /** Where a tree that something names is not here, a remote must have it: what it names may be among what goes. */
  private async requireTold({ unknown }: Named, { named }: LocalRoots): Promise<void> {
    if (unknown.size === 0) return;
    const known = new Map(named.map((root) => [root.oid, root]));
    const wanted = [...unknown].map((oid) =>
      this.wanted(known.get(oid) ?? { oid, path: `directory ${oid}`, directory: true }, undefined),
    );
    const { proven } = await this.prove(wanted);
    const lost = wanted.filter(({ oid }) => !proven.has(oid));
    if (lost[0]) throw treesMissing(lost);
  }

  private wanted({ oid, path, directory }: LiveRoot, remote: string | undefined): ProofWanted {
    return { oid, path, directory, size: this.held.get(splitOid(oid).hex) ?? 0, remote };
  }

  private async prove(wanted: readonly ProofWanted[]): ReturnType<typeof proveOnRemotes> {
    if (wanted.length === 0) return { proven: new Map(), findings: [], errors: [] };
    return proveOnRemotes(this.context, wanted);
  }

  /** Alone with the cache: what is named by now, and was not before, stays. */
  private async sweep(going: readonly string[], before: LocalRoots): Promise<void> {
    const now = await this.roots();
    const known = new Set(before.named.map(({ oid }) => oid));
    for (const group of await this.groups(now)) for (const each of group.roots) this.live.add(each.oid, each.directory);
    for (const { oid, directory } of now.named) if (!known.has(oid)) this.live.add(oid, directory);
    const { cache } = this.repository;
    for (const hex of going) if (!this.live.hexes.has(hex)) cache.remove(cache.oid(hex));
  }
}

/** What is to be removed, in an order that a kill may interrupt, and that goes from folder to folder. */
class Going {
  private readonly files: string[] = [];
  private readonly trees: string[] = [];

  /** Trees are added before what they name. */
  add(hex: string, isTree: boolean): void {
    (isTree ? this.trees : this.files).push(hex);
  }

  /** Files by their names, then trees, each behind those that it names. */
  inOrder(): string[] {
    return [...this.files.sort(), ...this.trees.reverse()];
  }
}

function add(count: ObjectCount, bytes: number): void {
  count.objects++;
  count.bytes += bytes;
}
