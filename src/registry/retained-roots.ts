import { isMlvError } from '../core/errors.js';
import type { Git, RemoteTip } from '../git/git.js';
import type { TreeFile } from '../git/plumbing.js';
import { ALGORITHMS, type Oid } from '../objects/oid.js';
import type { LiveRoot } from '../transfer/collection-mark.js';
import type { RegistryEvent } from './event.js';
import { parseEvent } from './event-format.js';
import { parseRegistryPath, REGISTRY_BRANCH, REGISTRY_REF, tagRef } from './layout.js';
import type { Manifest } from './manifest.js';
import { parseManifest } from './manifest-format.js';
import { planRetention, type RetainedVersion, type RetentionPlan, type RetentionRules } from './retention.js';
import { registryView } from './view.js';

const OIDS = new RegExp(`\\b(?:${ALGORITHMS.join('|')}):[0-9a-f]{64}\\b`, 'g');

/** What the registry keeps, for a collection. */
export interface RetainedRoots {
  roots: LiveRoot[];
  /** Files that cannot be read, of which every oid in their text was kept. */
  unreadable: { path: string; commit: string; message: string }[];
  /** Which versions the rules keep, and why; undefined where all are kept. */
  retention: RetentionPlan | undefined;
  /** What only versions name that no rule keeps: nothing that is kept, but named all the same. */
  released: LiveRoot[];
  /** Full names of the tags of those versions. */
  releasedRefs: string[];
}

export interface RetainOptions {
  remoteTips: readonly RemoteTip[];
  ignoreUnreadable: boolean;
  /** Undefined keeps every version. */
  rules?: RetentionRules | undefined;
  /** Such as `2026-01-31`, in UTC. */
  today: string;
}

/**
 * Everything that a version of any model names: artifacts, data, the difference of a dirty workspace, the record of its
 * run, what was attached to its approvals, the data that it was evaluated on. Read are all manifests and events at the
 * tip of the registry's branch in this clone, at what it knows of every Git remote, and at the remotes' tips as asked just
 * now. With rules, a version is kept that they keep at any of these tips; of the others only what was attached to
 * events. Errors: `REGISTRY_INVALID` and `FORMAT_TOO_NEW` with file and commit, unless `ignoreUnreadable` (then every
 * version of that tip is kept); `GIT_FAILED` where a commit or file is not in this clone.
 */
export async function retainedRoots(git: Git, options: RetainOptions): Promise<RetainedRoots> {
  const { remoteTips, ignoreUnreadable } = options;
  const tips = await registryTips(git, remoteTips);
  const retention = await planOf(git, tips, options);
  const collector = new RootCollector(ignoreUnreadable, new Set(retention?.released));
  for (const commit of tips) {
    const files = (await git.plumbing.listTree(commit, ['models'])).filter(({ blob }) => collector.isNew(blob));
    const blobs = await git.readBlobs(files.filter(isRegular).map(({ blob }) => blob));
    for (const file of files) collector.add(file, commit, blobs.get(file.blob)?.toString('utf8') ?? '');
  }
  const { roots, released, unreadable } = collector;
  return {
    roots: [...roots.values()],
    unreadable,
    retention,
    released: [...released.values()].filter(({ oid }) => !roots.has(oid)),
    releasedRefs: (retention?.released ?? []).map(refOf),
  };
}

/** The plan of all tips: what any of them keeps is kept. Undefined where every version is. */
async function planOf(
  git: Git,
  tips: ReadonlySet<string>,
  { rules, today, ignoreUnreadable }: RetainOptions,
): Promise<RetentionPlan | undefined> {
  if (!rules) return undefined;
  const kept = new Map<string, RetainedVersion>();
  const released = new Set<string>();
  for (const tip of tips) {
    try {
      const plan = planRetention(await registryView(tip, { git }).allModels(), rules, today);
      for (const each of plan.kept) if (!kept.has(nameOf(each))) kept.set(nameOf(each), each);
      for (const each of plan.released) released.add(each);
    } catch (error) {
      if (!isMlvError(error, 'REGISTRY_INVALID') || !ignoreUnreadable) throw error;
      return undefined;
    }
  }
  return { kept: [...kept.values()], released: [...released].filter((each) => !kept.has(each)) };
}

function nameOf({ model, version }: { model: string; version: string }): string {
  return `${model}@${version}`;
}

function refOf(name: string): string {
  const at = name.lastIndexOf('@');
  return tagRef(name.slice(0, at), name.slice(at + 1));
}

async function registryTips({ plumbing }: Git, remoteTips: readonly RemoteTip[]): Promise<Set<string>> {
  const refs = await plumbing.currentRefs([REGISTRY_REF, 'refs/remotes', 'refs/mlv/registry-seen']);
  const own = refs.filter(({ name }) => !name.startsWith('refs/remotes/') || name.endsWith(`/${REGISTRY_BRANCH}`));
  const theirs = remoteTips.filter(({ ref, known }) => known && ref === REGISTRY_REF);
  return new Set([...own, ...theirs].map(({ object }) => object));
}

function isRegular({ mode }: TreeFile): boolean {
  return mode.startsWith('100');
}

class RootCollector {
  readonly roots = new Map<Oid, LiveRoot>();
  readonly released = new Map<Oid, LiveRoot>();
  readonly unreadable: RetainedRoots['unreadable'] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly ignoreUnreadable: boolean,
    private readonly unkept: ReadonlySet<string>,
  ) {}

  isNew(blob: string): boolean {
    if (this.seen.has(blob)) return false;
    this.seen.add(blob);
    return true;
  }

  add({ path }: TreeFile, commit: string, text: string): void {
    const found = parseRegistryPath(path);
    try {
      if (found.kind === 'manifest') this.addManifest(parseManifest(text, { path, commit }));
      else if (found.kind === 'event') {
        const event = parseEvent(text, { path, commit });
        const name = nameOf(event);
        if (this.unkept.has(name)) this.addAll(attachmentsOf(event), name);
        this.addAll(text, name, this.into(name));
      }
    } catch (error) {
      if (!isMlvError(error) || !this.ignoreUnreadable) throw error;
      this.unreadable.push({ path, commit, message: error.message });
      this.addAll(text, path);
    }
  }

  private addManifest({ model, version, artifacts, data, run, difference, metrics }: Manifest): void {
    const name = `${model}@${version}`;
    const into = this.into(name);
    for (const { path, oid, files } of [...artifacts, ...data]) {
      this.keep({ oid: oid as Oid, path: `${path} (${name})`, directory: files !== undefined }, into);
    }
    if (run !== undefined) this.keep({ oid: run as Oid, path: `record of the run of ${name}`, directory: true }, into);
    if (difference !== undefined)
      this.keep({ oid: difference as Oid, path: `difference of ${name}`, directory: false }, into);
    for (const { on_oid } of Object.values(metrics)) {
      if (on_oid !== undefined) this.keep({ oid: on_oid as Oid, path: `data of ${name}`, directory: false }, into);
    }
  }

  private into(name: string): Map<Oid, LiveRoot> {
    return this.unkept.has(name) ? this.released : this.roots;
  }

  /** Every oid in a text, whatever it is for. */
  private addAll(text: string, path: string, into = this.roots): void {
    for (const oid of new Set(text.match(OIDS) ?? [])) this.keep({ oid: oid as Oid, path, directory: false }, into);
  }

  private keep(root: LiveRoot, into: Map<Oid, LiveRoot>): void {
    const before = into.get(root.oid);
    if (!before || (root.directory && !before.directory)) into.set(root.oid, root);
  }
}

/** What was handed in with an approval stays, whatever becomes of the version: it proves what was decided, and why. */
function attachmentsOf(event: RegistryEvent): string {
  return JSON.stringify('attachments' in event ? (event.attachments ?? []) : []);
}
