import { isMlvError } from '../core/errors.js';
import type { Git, RemoteTip } from '../git/git.js';
import type { TreeFile } from '../git/plumbing.js';
import { ALGORITHMS, type Oid } from '../objects/oid.js';
import type { LiveRoot } from '../transfer/collection-mark.js';
import { parseEvent } from './event-format.js';
import { parseRegistryPath, REGISTRY_BRANCH, REGISTRY_REF } from './layout.js';
import type { Manifest } from './manifest.js';
import { parseManifest } from './manifest-format.js';

const OIDS = new RegExp(`\\b(?:${ALGORITHMS.join('|')}):[0-9a-f]{64}\\b`, 'g');

/** What the registry keeps, for a collection. */
export interface RetainedRoots {
  roots: LiveRoot[];
  /** Files that cannot be read, of which every oid in their text was kept. */
  unreadable: { path: string; commit: string; message: string }[];
}

/**
 * Everything that a version of any model names: artifacts, data, the difference of a dirty workspace, the record of its
 * run, what was attached to its approvals, the data that it was evaluated on. Read are all manifests and events at the
 * tip of the registry's branch in this clone, at what it knows of every Git remote, and at the remotes' tips as asked just
 * now. Errors: `REGISTRY_INVALID` and `FORMAT_TOO_NEW` with file and commit, unless `ignoreUnreadable`; `GIT_FAILED` where
 * a commit or file is not in this clone.
 */
export async function retainedRoots(
  git: Git,
  { remoteTips, ignoreUnreadable }: { remoteTips: readonly RemoteTip[]; ignoreUnreadable: boolean },
): Promise<RetainedRoots> {
  const collector = new RootCollector(ignoreUnreadable);
  for (const commit of await registryTips(git, remoteTips)) {
    const files = (await git.plumbing.listTree(commit, ['models'])).filter(({ blob }) => collector.isNew(blob));
    const blobs = await git.readBlobs(files.filter(isRegular).map(({ blob }) => blob));
    for (const file of files) collector.add(file, commit, blobs.get(file.blob)?.toString('utf8') ?? '');
  }
  return { roots: [...collector.roots.values()], unreadable: collector.unreadable };
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
  readonly unreadable: RetainedRoots['unreadable'] = [];
  private readonly seen = new Set<string>();

  constructor(private readonly ignoreUnreadable: boolean) {}

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
        const { model, version } = parseEvent(text, { path, commit });
        this.addAll(text, `${model}@${version}`);
      }
    } catch (error) {
      if (!isMlvError(error) || !this.ignoreUnreadable) throw error;
      this.unreadable.push({ path, commit, message: error.message });
      this.addAll(text, path);
    }
  }

  private addManifest({ model, version, artifacts, data, run, difference, metrics }: Manifest): void {
    const name = `${model}@${version}`;
    for (const { path, oid, files } of [...artifacts, ...data]) {
      this.keep({ oid: oid as Oid, path: `${path} (${name})`, directory: files !== undefined });
    }
    if (run !== undefined) this.keep({ oid: run as Oid, path: `record of the run of ${name}`, directory: true });
    if (difference !== undefined)
      this.keep({ oid: difference as Oid, path: `difference of ${name}`, directory: false });
    for (const { on_oid } of Object.values(metrics)) {
      if (on_oid !== undefined) this.keep({ oid: on_oid as Oid, path: `data of ${name}`, directory: false });
    }
  }

  /** Every oid in a text, whatever it is for. */
  private addAll(text: string, path: string): void {
    for (const oid of new Set(text.match(OIDS) ?? [])) this.keep({ oid: oid as Oid, path, directory: false });
  }

  private keep(root: LiveRoot): void {
    const before = this.roots.get(root.oid);
    if (!before || (root.directory && !before.directory)) this.roots.set(root.oid, root);
  }
}
