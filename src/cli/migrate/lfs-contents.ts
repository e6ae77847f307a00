import { isMlvError, MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import type { GitRewriting } from '../../git/rewriting.js';
import { ContentCollection, seemsHere, type WantedContent } from '../../interop/content-collection.js';
import { ContentImporter, type ImportedContent } from '../../interop/content-import.js';
import type { ForeignId } from '../../interop/foreign-id.js';
import { LFS_BATCH, type LfsDownload, type LfsObject } from '../../interop/lfs-batch.js';
import type { LfsEndpoint } from '../../interop/lfs-endpoint.js';
import { contentId, type LfsPointer } from '../../interop/lfs-pointer.js';
import type { ObjectCache } from '../../objects/cache.js';
import { CacheBatch } from '../../objects/cache-batch.js';
import { inParallel } from '../../transfer/in-parallel.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import type { Session } from '../session.js';
import { LfsServer } from './lfs-server.js';
import type { TakenFrom } from './migration.js';

/** Downloads at once, as git-lfs itself does. */
const DOWNLOADS = 8;

/** Where a server is, if any is named, and what of Git tells its credentials. */
interface LfsSource {
  git: GitRewriting;
  endpoint: LfsEndpoint | undefined;
}

/** What is to be taken. */
interface LfsRequest {
  wanted: readonly WantedContent[];
  /** What a server may be asked for, by oid. */
  objects: ReadonlyMap<string, LfsObject>;
  /** Only look. */
  dryRun: boolean;
}

/** Contents of Git LFS on their way into the cache: from places of this machine first, then from the server. */
export class LfsContents {
  readonly taken: TakenFrom = { files: 0, here: 0, remote: 0, missing: 0 };
  /** The server that was asked, without credentials. */
  server: string | undefined;
  private readonly problems = new Map<string, string>();
  private readonly batch: CacheBatch;
  private readonly collection: ContentCollection;
  private readonly importer: ContentImporter;
  private dryRun = false;
  /** What a dry run found, by oid. */
  private readonly found = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly cache: ObjectCache,
  ) {
    cache.temporary.removeStale();
    this.batch = new CacheBatch(cache);
    this.importer = new ContentImporter(cache, this.batch, { signal: session.signal });
    this.collection = new ContentCollection(this.importer, this.batch);
  }

  /**
   * Takes what can be had; a server that cannot be used is warned of. Errors: `DISK_FULL`, `FILE_SYSTEM`,
   * `HASH_UNAVAILABLE`.
   */
  async take({ wanted, objects, dryRun }: LfsRequest, source: LfsSource): Promise<void> {
    this.dryRun = dryRun;
    this.taken.files = wanted.length;
    const missing = await this.takeHere(wanted);
    await this.takeFromServer(
      missing.flatMap(({ id }) => objects.get(id.hex) ?? []),
      source,
    );
    this.taken.here = wanted.length - missing.length;
    this.taken.missing = missing.length - this.taken.remote;
  }

  /** The object that a content was taken into. */
  get(id: ForeignId): ImportedContent | undefined {
    return this.collection.get(id);
  }

  /** Stores a tree that a conversion made, and gives its digest. */
  addTree(bytes: Buffer): Buffer {
    const digest = this.cache.hash.digest(bytes);
    if (!this.dryRun) this.batch.addBytes(bytes, digest.toString('hex'));
    return digest;
  }

  /** Gives names to all that was stored. */
  async settle(): Promise<void> {
    await this.batch.commit();
  }

  /** Drops what did not get its name. */
  end(): void {
    this.batch.abandon();
  }

  /** The object of a pointer, where there is one; in a dry run nothing has a digest yet. */
  contentOf(pointer: LfsPointer): ReturnType<ContentCollection['get']> {
    if (!this.dryRun) return this.collection.get(contentId(pointer));
    return this.found.has(pointer.original) ? { digest: Buffer.alloc(32), size: pointer.size } : undefined;
  }

  /** Why a file has no content. */
  missing(path: RepositoryPath, pointer: LfsPointer): MlvError {
    const { oid, extensions, original } = pointer;
    const data = { path, oid };
    if (extensions.length > 0) {
      const message = `'${path}' was changed by extensions of Git LFS (${extensions.join(', ')}), which only git-lfs can undo`;
      return new MlvError('OBJECT_MISSING', message, { hint: 'check it out with git-lfs: git lfs pull', data });
    }
    const damaged = this.collection.damagedAt(contentId(pointer));
    if (damaged !== undefined) {
      const message = `the content of '${path}' (${oid.slice(0, 16)}…) is damaged: ${damaged} has other bytes than its name says`;
      const hint = `take it away there, and bring it anew: git lfs fetch --all`;
      return new MlvError('OBJECT_CORRUPT', message, { hint, data: { ...data, damaged } });
    }
    const why = this.problems.get(original);
    const message = `the content of '${path}' (${oid.slice(0, 16)}…) is neither in the workspace, nor in .git/lfs, nor on the server`;
    return new MlvError('OBJECT_MISSING', why === undefined ? message : `${message}: ${redactUrl(why)}`, {
      hint: 'bring it here: git lfs fetch --all',
      data,
    });
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

  private async takeFromServer(objects: readonly LfsObject[], { git, endpoint }: LfsSource): Promise<void> {
    if (objects.length === 0 || endpoint === undefined || endpoint.kind === 'directory') return;
    const phase = this.session.reporter.phase('Downloading', { total: { items: objects.length }, unit: 'files' });
    try {
      const server = await LfsServer.open(this.session, git, endpoint);
      this.server = server.shown;
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

  private async download(server: LfsServer, object: LfsObject, download: LfsDownload): Promise<void> {
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
}
