import { readFileSync, type Stats } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { isMlvError, MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { GitRewriting } from '../git/rewriting.js';
import { ContentCollection, type WantedContent } from '../interop/content-collection.js';
import { ContentImporter } from '../interop/content-import.js';
import { seemsHere } from '../interop/dvc-contents.js';
import type { StandIn } from '../interop/fill-workspace.js';
import { type AttributesFile, mentionsLfs, parseAttributes } from '../interop/lfs-attributes.js';
import { LFS_BATCH, type LfsObject } from '../interop/lfs-batch.js';
import { convertLfs, isLfsRelevant, type LfsFile, readLfs, ungroupable } from '../interop/lfs-conversion.js';
import { type LfsEndpoint, lfsEndpoint } from '../interop/lfs-endpoint.js';
import { contentId, type LfsPointer, lfsObjectPath, MAX_LFS_POINTER, parseLfsPointer } from '../interop/lfs-pointer.js';
import { isPlainFile, type State, type StateFile, textPath } from '../interop/rewrite-state.js';
import { sealFiles } from '../interop/tree-of-files.js';
import { CacheBatch } from '../objects/cache-batch.js';
import { inParallel } from '../transfer/in-parallel.js';
import { isWithin, type RepositoryPath } from '../workspace/paths.js';
import { readTextFile } from '../workspace/text-file.js';
import type { OpenRepository } from './context.js';
import type { MigratedState, Migration } from './migrate.js';
import type { TakenFrom } from './migrate-dvc.js';
import { LfsServer } from './migrate-lfs-server.js';
import { projectTextOf } from './migrate-report.js';
import type { Session } from './session.js';

/** Files of Git beyond this length that matter are not read. */
const MAX_TEXT = 16 * 1024 * 1024;
/** Downloads at once, as git-lfs itself does. */
const DOWNLOADS = 8;

export interface LfsOptions {
  /** Directories that become one pointer each. */
  groups: readonly RepositoryPath[];
  /** Git remote whose server is asked. */
  remote: string | undefined;
}

/** Migration from Git LFS: pointers, attribute files, local objects and the batch API of a server. */
export class LfsMigration implements Migration {
  readonly taken: TakenFrom = { files: 0, here: 0, remote: 0, missing: 0 };
  remoteName: string | undefined;
  left: string[] = [];
  private readonly pointers = new Map<string, LfsPointer>();
  private readonly texts = new Map<string, string>();
  private readonly problems = new Map<string, string>();
  private readonly batch: CacheBatch;
  private readonly collection: ContentCollection;
  private readonly importer: ContentImporter;
  private readonly projectText: string | undefined;
  private readonly above: AttributesFile | undefined;
  private headFiles = new Map<RepositoryPath, LfsFile>();
  /** Files of HEAD that hold more than a pointer. */
  private plainPaths: RepositoryPath[] = [];
  private dryRun = false;
  private readonly found = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository & { project: { repository: string; hash: 'blake3' | 'sha256' } },
    private readonly options: LfsOptions,
  ) {
    const { cache, layout } = repository;
    cache.temporary.removeStale();
    this.batch = new CacheBatch(cache);
    this.importer = new ContentImporter(cache, this.batch, { signal: session.signal });
    this.collection = new ContentCollection(this.importer, this.batch);
    this.projectText = projectTextOf(repository);
    const above = readTextFile(join(layout.commonDir, 'info', 'attributes'));
    this.above = above && 'text' in above ? parseAttributes(above.text) : undefined;
  }

  readonly isRelevant = (path: RepositoryPath, { blob }: StateFile): boolean =>
    this.pointers.has(blob) || isLfsRelevant(path) || this.options.groups.some((group) => isWithin(path, group));

  /** What Git LFS tracked leaves Git, and its content stays. */
  readonly stays = (path: RepositoryPath): boolean => this.headFiles.has(path);

  async load(commits: Parameters<Migration['load']>[0], head: Parameters<Migration['load']>[1]): Promise<void> {
    const blobs = new Set<string>();
    const named = new Set<string>();
    for (const { changes } of [...commits, { changes: head }]) {
      for (const { path, mode, blob } of changes) {
        const text = isPlainFile(mode) ? textPath(path) : undefined;
        if (text === undefined) continue;
        blobs.add(blob);
        if (isLfsRelevant(text)) named.add(blob);
      }
    }
    const rewriting = await this.repository.git.rewriting();
    for (const [blob, bytes] of await rewriting.smallBlobs([...blobs], MAX_LFS_POINTER)) {
      const pointer = parseLfsPointer(bytes);
      if (pointer) this.pointers.set(blob, pointer);
    }
    const sizes = await rewriting.sizes(head.map(({ blob }) => blob));
    this.plainPaths = head.flatMap(({ path, mode, blob }) => {
      const isPlain = isPlainFile(mode) && !this.pointers.has(blob) && (sizes.get(blob) ?? 0) > 0;
      return isPlain ? (textPath(path) ?? []) : [];
    });
    for (const [blob, bytes] of await rewriting.smallBlobs([...named], MAX_TEXT))
      this.texts.set(blob, bytes.toString('utf8'));
  }

  async take(states: () => Iterable<State>, head: State, dryRun: boolean): Promise<void> {
    this.dryRun = dryRun;
    const current = readLfs(head, this.reading);
    this.headFiles = new Map(current.files.map((file) => [file.path, file]));
    this.refuseGroups(head, current);
    this.left = current.untracked.map(
      (path) => `${path}: a pointer of Git LFS under no filter, and so a file of its own`,
    );
    for (const path of this.plainPaths) {
      if (current.filters.tracks(path))
        this.left.push(`${path}: under the filter of Git LFS, but its content is in Git, and stays there`);
    }
    if (this.above && mentionsLfs(this.above))
      this.left.push('.git/info/attributes: the filter of Git LFS, in this clone only');
    const git = await this.repository.git.rewriting();
    const endpoint = await this.endpoint(git, head);
    const places = await this.objectPlaces(git, endpoint);
    const wanted = new Map<string, WantedContent>();
    const objects = new Map<string, LfsObject>();
    const add = ({ path, pointer }: LfsFile, isCurrent: boolean): void => {
      const id = contentId(pointer);
      if (pointer.extensions.length === 0) objects.set(id.hex, pointer);
      if (wanted.has(id.hex)) return;
      const own = isCurrent ? [join(this.repository.layout.worktree, path)] : [];
      wanted.set(id.hex, { id, places: [...own, ...places.map((place) => join(place, lfsObjectPath(id.hex)))] });
    };
    for (const file of current.files) add(file, true);
    for (const state of states()) for (const file of readLfs(state, this.reading).files) add(file, false);
    this.taken.files = wanted.size;
    const missing = await this.takeHere([...wanted.values()]);
    await this.takeFromServer(
      missing.flatMap(({ id }) => objects.get(id.hex) ?? []),
      { git, endpoint },
    );
    this.taken.here = wanted.size - missing.length;
    this.taken.missing = missing.length - this.taken.remote;
  }

  private get reading() {
    return {
      pointer: (blob: string) => this.pointers.get(blob),
      text: (blob: string) => this.texts.get(blob),
      ...(this.above && { above: this.above }),
    };
  }

  private refuseGroups(head: State, reading: ReturnType<typeof readLfs>): void {
    for (const group of this.options.groups) {
      const others = ungroupable(head, reading, group);
      if (others.length === 0) continue;
      throw new MlvError(
        'TRACKED_BY_GIT',
        `'${group}' cannot become one pointer: '${others[0]}' in it is a file of Git itself`,
        {
          hint: `move such files elsewhere first, or leave --group ${group} out`,
          data: { path: group, paths: others.slice(0, 100) },
        },
      );
    }
  }

  private async takeHere(wanted: readonly WantedContent[]): Promise<WantedContent[]> {
    if (this.dryRun) {
      const missing = wanted.filter((item) => !seemsHere(item));
      const absent = new Set(missing.map(({ id }) => id.hex));
      for (const { id } of wanted) if (!absent.has(id.hex)) this.found.add(id.hex);
      return missing;
    }
    const { reporter, signal } = this.session;
    const phase = reporter.phase('Migrating', { total: { items: wanted.length }, unit: 'files' });
    try {
      return await this.collection.takeFiles(wanted, { onItem: () => phase.advance({ items: 1 }), signal });
    } finally {
      phase.end();
    }
  }

  private async takeFromServer(
    objects: readonly LfsObject[],
    { git, endpoint }: { git: GitRewriting; endpoint: LfsEndpoint | undefined },
  ): Promise<void> {
    if (objects.length === 0 || endpoint === undefined || endpoint.kind === 'directory') return;
    const phase = this.session.reporter.phase('Downloading', { total: { items: objects.length }, unit: 'files' });
    try {
      const server = await LfsServer.open(this.session, git, endpoint);
      this.remoteName = server.shown;
      for (let start = 0; start < objects.length; start += LFS_BATCH) {
        const part = objects.slice(start, start + LFS_BATCH);
        const byOid = new Map(part.map((object) => [object.oid, object]));
        const answers = await server.locate(part);
        await inParallel(answers, DOWNLOADS, async (answer) => {
          const object = byOid.get(answer.oid) as LfsObject;
          if ('download' in answer) await this.download(server, object, answer.download);
          else this.problems.set(answer.oid, answer.problem);
          phase.advance({ items: 1 });
        });
        if (this.batch.full) await this.batch.commit();
      }
    } catch (error) {
      if (!isMlvError(error) || !error.code.startsWith('REMOTE_')) throw error;
      this.session.reporter.warn(
        `the Git LFS server cannot be used: ${error.message}${error.hint ? ` (${error.hint})` : ''}`,
      );
    } finally {
      phase.end();
    }
  }

  private async download(
    server: LfsServer,
    object: LfsObject,
    download: Parameters<LfsServer['download']>[1],
  ): Promise<void> {
    if (this.dryRun) {
      this.found.add(object.oid);
      this.taken.remote += 1;
      return;
    }
    const id = { algorithm: 'sha256', hex: object.oid } as const;
    try {
      const result = await server.download(object, download, (body) => this.importer.fromBody(body, id, object.size));
      if (this.collection.put(id, result)) this.taken.remote += 1;
      else this.problems.set(object.oid, 'what the server sent is not what the pointer names');
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND') && !isMlvError(error, 'REMOTE_PERMANENT')) throw error;
      this.problems.set(object.oid, error.message);
    }
  }

  convert(state: State): MigratedState {
    const { cache } = this.repository;
    const { overlay, converted, kept } = convertLfs(state, {
      ...this.reading,
      contentOf: (pointer) => this.contentOf(pointer),
      missing: (path, pointer) => this.missing(path, pointer),
      oid: ({ digest }) => cache.oid(digest),
      seal: (files) =>
        sealFiles(files, (bytes) => {
          const digest = cache.hash.digest(bytes);
          if (!this.dryRun) this.batch.addBytes(bytes, digest.toString('hex'));
          return digest;
        }),
      groups: this.options.groups,
      project: this.repository.project,
      projectText: this.projectText,
      home: this.session.home,
    });
    const pointers = converted.map(({ path, pointer, files }) => ({
      path,
      file: path,
      pointer,
      files: files.map((file) => ({
        path: file.path === path ? '' : file.path.slice(path.length + 1),
        id: contentId(file.pointer),
      })),
    }));
    return { overlay, pointers, kept };
  }

  /** Drops what did not get its name. */
  end(): void {
    this.batch.abandon();
  }

  /** Trees that the conversion made. */
  async settle(): Promise<void> {
    await this.batch.commit();
  }

  /** In a dry run nothing has a digest yet. */
  private contentOf(pointer: LfsPointer): ReturnType<ContentCollection['get']> {
    if (!this.dryRun) return this.collection.get(contentId(pointer));
    return this.found.has(pointer.original) ? { digest: Buffer.alloc(32), size: pointer.size } : undefined;
  }

  private missing(path: RepositoryPath, pointer: LfsPointer): MlvError {
    const { oid, extensions, original } = pointer;
    const data = { path, oid };
    if (extensions.length > 0) {
      const message = `'${path}' was changed by extensions of Git LFS (${extensions.join(', ')}), which only git-lfs can undo`;
      return new MlvError('OBJECT_MISSING', message, { hint: 'check it out with git-lfs: git lfs pull', data });
    }
    const why = this.problems.get(original);
    const message = `the content of '${path}' (${oid.slice(0, 16)}…) is neither in the workspace, nor in .git/lfs, nor on the server`;
    return new MlvError('OBJECT_MISSING', why === undefined ? message : `${message}: ${redactUrl(why)}`, {
      hint: 'bring it here: git lfs fetch --all',
      data,
    });
  }

  /** Files whose pointer was never replaced by the content, as where git-lfs is not installed. */
  *standIns({ pointers }: MigratedState): Generator<StandIn> {
    const { cache } = this.repository;
    for (const { path, files } of pointers) {
      for (const { path: below, id } of files) {
        const place = below === '' ? path : `${path}/${below}`;
        const content = this.collection.get(id);
        const file = this.headFiles.get(place);
        if (!content || !file) continue;
        const isStandIn = (absolute: string, stat: Stats): boolean =>
          stat.isFile() &&
          stat.size <= MAX_LFS_POINTER &&
          parseLfsPointer(readFileSync(absolute))?.oid === file.pointer.oid;
        yield {
          path: place,
          oid: cache.oid(content.digest),
          size: content.size,
          executable: file.executable,
          isStandIn,
        };
      }
    }
  }

  /** Where objects may lie on this machine. */
  private async objectPlaces(git: GitRewriting, endpoint: LfsEndpoint | undefined): Promise<string[]> {
    const { commonDir, worktree } = this.repository.layout;
    const storage = (await git.config('lfs.storage')).at(-1);
    const own =
      storage === undefined ? join(commonDir, 'lfs') : isAbsolute(storage) ? storage : join(commonDir, storage);
    const places = [join(own, 'objects')];
    if (endpoint?.kind !== 'directory') return places;
    const other = resolve(worktree, endpoint.path);
    return [
      ...places,
      join(other, 'lfs', 'objects'),
      join(other, '.git', 'lfs', 'objects'),
      `${other}.git/lfs/objects`,
    ];
  }

  /** Git's own configuration counts before what is committed. */
  private async endpoint(git: GitRewriting, head: State): Promise<LfsEndpoint | undefined> {
    const settings = new Map(await git.configMatching('^(lfs|remote|branch)\\..*'));
    const committedText = this.texts.get(head.get('.lfsconfig')?.blob ?? '');
    const committed = new Map(committedText === undefined ? [] : await git.configOfText(committedText));
    const branch = await this.repository.git.branch();
    const names = (await this.repository.git.plumbing.remotes()).all;
    const { remote } = this.options;
    if (remote !== undefined && !names.includes(remote)) {
      throw new MlvError('REMOTE_NOT_CONFIGURED', `Git has no remote '${remote}'`, {
        hint: 'git remote -v lists them',
      });
    }
    const chosen =
      remote ??
      settings.get(`branch.${branch}.remote`) ??
      settings.get('remote.lfsdefault') ??
      (names.includes('origin') || names.length !== 1 ? 'origin' : names[0]);
    return lfsEndpoint({
      url: settings.get('lfs.url') ?? committed.get('lfs.url'),
      remoteLfsUrl: settings.get(`remote.${chosen}.lfsurl`) ?? committed.get(`remote.${chosen}.lfsurl`),
      remoteUrl: settings.get(`remote.${chosen}.url`),
    });
  }
}
