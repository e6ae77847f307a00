import { realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { ContentCollection, seemsHere, type WantedContent } from '../../interop/content-collection.js';
import { ContentImporter } from '../../interop/content-import.js';
import { DvcContents, dvcKeys } from '../../interop/dvc-contents.js';
import { type ConvertedOutput, convertDvc, type DvcConverted } from '../../interop/dvc-conversion.js';
import { MAX_LISTING_BYTES } from '../../interop/dvc-listing.js';
import type { DvcOutput } from '../../interop/dvc-output.js';
import { DvcReader, isDvcRelevant } from '../../interop/dvc-reading.js';
import type { StandIn } from '../../interop/fill-workspace.js';
import { foreignKey } from '../../interop/foreign-id.js';
import { isPlainFile, type State, textPath } from '../../interop/rewrite-state.js';
import { CacheBatch } from '../../objects/cache-batch.js';
import { readContent } from '../../remotes/remote.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import { DvcRemotes } from './dvc-remotes.js';
import { cacheDirectories, dvcSettings } from './dvc-settings.js';
import type { MigratedState, Migration, TakenFrom } from './migration.js';
import { projectTextOf } from './report.js';
import { migratedTexts } from './texts.js';

/** Migration from DVC: `.dvc` files, `dvc.yaml`, `dvc.lock`, its cache and its remotes. */
export class DvcMigration implements Migration {
  readonly taken: TakenFrom = { files: 0, here: 0, remote: 0, missing: 0 };
  remoteName: string | undefined;
  private texts: ReadonlyMap<string, string> = new Map();
  private readonly reader = new DvcReader((blob) => this.texts.get(blob));
  private readonly batch: CacheBatch;
  private readonly collection: ContentCollection;
  private readonly importer: ContentImporter;
  private contents: DvcContents;
  private caches: string[] = [];
  private last: DvcConverted | undefined;
  private dryRun = false;
  private readonly projectText: string | undefined;
  /** Outputs that a dry run found contents for. */
  private readonly found = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository & { project: { repository: string; hash: 'blake3' | 'sha256' } },
    private readonly options: { remote: string | undefined },
  ) {
    repository.cache.temporary.removeStale();
    this.projectText = projectTextOf(repository);
    this.batch = new CacheBatch(repository.cache);
    this.importer = new ContentImporter(repository.cache, this.batch, { signal: session.signal });
    this.collection = new ContentCollection(this.importer, this.batch);
    this.contents = new DvcContents({ worktree: repository.layout.worktree, caches: [] }, this.collection);
  }

  readonly isRelevant = (path: RepositoryPath): boolean => isDvcRelevant(path);
  /** DVC's directory leaves Git and is left to DVC. */
  readonly stays = (path: RepositoryPath): boolean => path.startsWith('.dvc/') || path.includes('/.dvc/');

  /** Everything is in the cache after `take`. */
  readonly settle = (): Promise<void> => Promise.resolve();

  /** What has no place in mlv, of HEAD. */
  left: readonly string[] = [];
  /** What was converted of HEAD besides pointers. */
  get converted(): DvcConverted | undefined {
    return this.last;
  }

  async load(commits: Parameters<Migration['load']>[0], head: Parameters<Migration['load']>[1]): Promise<void> {
    const files = new Map<string, RepositoryPath>();
    for (const { changes } of [...commits, { changes: head }]) {
      for (const { path, mode, blob } of changes) {
        const text = isPlainFile(mode) ? textPath(path) : undefined;
        if (text !== undefined && isDvcRelevant(text)) files.set(blob, text);
      }
    }
    const rewriting = await this.repository.git.rewriting();
    this.texts = await migratedTexts(rewriting, files);
  }

  async take(states: () => Iterable<State>, head: State, dryRun: boolean): Promise<void> {
    this.dryRun = dryRun;
    const current = this.reader.read(head);
    this.left = current.left;
    const outputs = new Map<string, DvcOutput>();
    const add = (found: readonly { output: DvcOutput }[]): void => {
      for (const { output } of found)
        outputs.set(`${output.path}\0${foreignKey(output.id)}\0${output.executable}`, output);
    };
    add(current.outputs);
    for (const state of states()) add(this.reader.read(state).outputs);
    const all = [...outputs.values()];
    const settings = dvcSettings(this.session, this.repository.layout.worktree, current.roots);
    this.caches = settings.flatMap((each) => cacheDirectories(each));
    this.contents = new DvcContents(
      { worktree: this.repository.layout.worktree, caches: this.caches },
      this.collection,
    );
    const remotes = new DvcRemotes(this.session, this.repository, { settings, named: this.options.remote });
    try {
      await this.takeAll(
        all,
        current.outputs.map(({ output }) => output),
        remotes,
      );
    } finally {
      this.remoteName = remotes.name;
      await remotes.close();
      this.batch.abandon();
    }
  }

  private async takeAll(all: readonly DvcOutput[], current: readonly DvcOutput[], remotes: DvcRemotes): Promise<void> {
    const { signal, reporter } = this.session;
    const { jobs } = this.repository.config.core;
    await remotes.each(this.contents.takeListings(all), jobs, async (id, open) => {
      const content = await open.get(dvcKeys(id, true));
      if (content && content.size <= MAX_LISTING_BYTES) {
        this.contents.putListing(id, await readContent(content), "DVC's remote");
      }
    });
    const wanted = this.contents.wanted(all, current);
    this.taken.files = wanted.filter(({ own }) => !own).length;
    if (this.dryRun) return this.look(wanted, all, remotes);
    const phase = reporter.phase('Migrating', { total: { items: wanted.length }, unit: 'files' });
    try {
      const rest = await this.collection.takeFiles(wanted, { onItem: () => phase.advance({ items: 1 }), signal });
      const missing = rest.filter(({ own, id }) => !own && !this.collection.get(id));
      await remotes.each(missing, jobs, async ({ id }, open) => {
        const content = await open.get(dvcKeys(id, false));
        if (content && this.collection.put(id, await this.importer.fromBody(content.body, id), "DVC's remote"))
          this.taken.remote += 1;
        if (this.batch.full) await this.batch.commit();
      });
      this.taken.missing = missing.length - this.taken.remote;
      this.taken.here = this.taken.files - missing.length;
      this.contents.seal(all, { cache: this.repository.cache, batch: this.batch });
      await this.batch.commit();
    } finally {
      phase.end();
    }
  }

  /** A dry run reads nothing but listings: what has the right name is taken for right. */
  private async look(wanted: readonly WantedContent[], all: readonly DvcOutput[], remotes: DvcRemotes): Promise<void> {
    const there = new Set<string>();
    const rest = new Map<string, WantedContent>();
    for (const item of wanted) {
      if (seemsHere(item)) there.add(foreignKey(item.id));
      else rest.set(foreignKey(item.id), item);
    }
    const missing = [...rest].filter(([key]) => !there.has(key)).map(([, item]) => item);
    await remotes.each(missing, this.repository.config.core.jobs, async ({ id }, open) => {
      if (!(await open.has(dvcKeys(id, false)))) return;
      there.add(foreignKey(id));
      this.taken.remote += 1;
    });
    this.taken.missing = missing.length - this.taken.remote;
    this.taken.here = this.taken.files - missing.length;
    for (const output of all) {
      const files = output.directory ? this.contents.listingOf(output.id) : [output];
      if (files?.every(({ id }) => there.has(foreignKey(id)))) this.found.add(outputKey(output));
    }
  }

  convert(state: State): MigratedState {
    const converted = convertDvc(state, {
      reader: this.reader,
      text: (blob) => this.texts.get(blob),
      damagedAt: (output) => this.contents.damagedAt(output),
      pointerOf: (output) => (this.dryRun ? this.expected(output) : this.contents.pointerOf(output)),
      project: this.repository.project,
      projectText: this.projectText,
      home: this.session.home,
    });
    this.last = converted;
    const pointers = converted.converted.map((each) => ({
      path: each.output.path,
      file: each.file,
      pointer: each.pointer,
      files: this.filesOf(each),
    }));
    return { overlay: converted.overlay, pointers, kept: converted.kept };
  }

  private filesOf({ output }: ConvertedOutput): readonly { path: string; id: DvcOutput['id'] }[] {
    return output.directory ? (this.contents.listingOf(output.id) ?? []) : [{ path: '', id: output.id }];
  }

  /** In a dry run nothing has an object id; the pointer says what is known of the content. */
  private expected(output: DvcOutput): ReturnType<DvcContents['pointerOf']> {
    if (!this.found.has(outputKey(output))) return undefined;
    const files = output.directory ? this.contents.listingOf(output.id)?.length : undefined;
    const oid = this.repository.cache.oid('0'.repeat(64));
    return { path: output.path, oid, size: output.size ?? 0, ...(files !== undefined && { files }) };
  }

  /** Files that are links into DVC's cache, which mlv must not depend on. */
  *standIns({ pointers }: MigratedState): Generator<StandIn> {
    const { cache } = this.repository;
    for (const { path, pointer, files } of pointers) {
      for (const { path: below, id } of files) {
        const content = this.collection.get(id, `${foreignKey(id)}\0${below === '' ? path : `${path}/${below}`}`);
        if (!content) continue;
        const isStandIn = (absolute: string, stat: Stats): boolean =>
          this.isDvcLink(absolute, stat, dvcKeys(id, false));
        const executable = pointer.executable === true;
        const place = below === '' ? path : `${path}/${below}`;
        yield { path: place, oid: cache.oid(content.digest), size: content.size, executable, isStandIn };
      }
    }
  }

  private isDvcLink(absolute: string, stat: Stats, keys: readonly string[]): boolean {
    if (!stat.isSymbolicLink() && stat.nlink < 2) return false;
    for (const place of this.caches.flatMap((each) => keys.map((key) => join(each, key)))) {
      const target = statSync(place, { throwIfNoEntry: false });
      if (!target) continue;
      if (
        stat.isSymbolicLink()
          ? realpathOf(absolute) === realpathOf(place)
          : stat.ino === target.ino && stat.dev === target.dev
      )
        return true;
    }
    return false;
  }
}

function outputKey({ path, id }: DvcOutput): string {
  return `${path}\0${foreignKey(id)}`;
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
