import { isMlvError, MlvError } from '../core/errors.js';
import { CacheBatch } from '../objects/cache-batch.js';
import type { EarlyCopies, EarlyCopy } from '../objects/early-copy.js';
import { digestOf } from '../objects/oid.js';
import { checkInterrupted } from '../remotes/interrupted.js';
import { copyLocal, type DamagedChunk, damagedChunks } from './fetch-local.js';
import { FetchPlanner, type WantedFile } from './fetch-plan.js';
import { LocalChunks, type LocalPart } from './fetch-reuse.js';
import { FetchThreads, type FetchThreadsOptions } from './fetch-thread.js';
import { inParallel } from './in-parallel.js';
import { LargeTarget } from './large-target.js';
import type { RangeRequest, Wanted } from './range-plan.js';
import { readRange } from './range-reader.js';
import { packKey } from './remote-layout.js';
import type { FailedObject, FetchRoot, FormerVersions } from './roots.js';
import { type FreeBuffers, RunWriter } from './run-writer.js';
import type { TransferSession } from './session.js';
import { LEAST_THREADED_BYTES, ThreadedRanges } from './threaded-ranges.js';
import { type FileChunk as ChunkOf, WantedChunks } from './wanted-chunks.js';

/** Finished objects get their names at least that often, so that a killed fetch keeps what it had. */
const COMMIT_EVERY_MS = 5000;

export interface FetchOptions {
  /** Only find out what would be fetched. */
  dryRun?: boolean;
  /** What pointers named before: chunks that the cache has of those are not downloaded again. */
  formerVersions?: FormerVersions;
  /** What pointers named anywhere: files of directories that no remote knows, which a merge made, are looked for there. */
  anyVersions?: FormerVersions;
  /** Copies of large files for the checkout that follows, written beside the objects. */
  copies?: EarlyCopies | undefined;
  /** How threads bring large files; for tests. */
  threads?: FetchThreadsOptions & { leastBytes?: number; leastRequestBytes?: number };
  /** Only directory listings: those of the level that is asked for, or of everything below it; no content of files. */
  listings?: 'level' | 'all';
}

export interface FetchReport {
  /** Roots of which nothing was missing. */
  upToDate: number;
  /** Objects that came, and bytes of their content; with `dryRun` what would come. */
  objects: number;
  packs: number;
  bytes: number;
  failed: FailedObject[];
}

type FileChunk = ChunkOf<FileInProgress>;

interface FileInProgress {
  wanted: WantedFile;
  /** Where its chunks are collected; none for a file that is one. */
  target: LargeTarget | undefined;
  /** What comes from a former version and was not compared with the digests of its chunks. */
  local: LocalPart | undefined;
  state: 'open' | 'finishing' | 'stored' | 'failed';
}

/** One attempt to bring what is missing. */
export class FetchRun {
  /** Records that were dropped because what they say is not so, though they were not asked for in this run. */
  outdated = 0;
  readonly report: FetchReport = { upToDate: 0, objects: 0, packs: 0, bytes: 0, failed: [] };
  private readonly batch: CacheBatch;
  private readonly phase;
  private readonly inProgress = new Set<LargeTarget>();
  private readonly packs = new Set<string>();
  private readonly buffers: FreeBuffers = [];
  private threads: FetchThreads | undefined;
  private threaded: ThreadedRanges | undefined;
  private planner: FetchPlanner | undefined;
  /** Files that are whole and checked, and their bytes. */
  private readonly stored = { objects: 0, bytes: 0 };
  private committed = Date.now();
  private committing: Promise<void> = Promise.resolve();

  constructor(
    private readonly session: TransferSession,
    private readonly options: FetchOptions,
  ) {
    session.cache.temporary.removeStale();
    this.batch = new CacheBatch(session.cache);
    this.phase = session.options.reporter.phase('Fetching', { unit: 'files' });
  }

  /** Drops what did not get its name. */
  end(): void {
    for (const target of this.inProgress) target.abandon();
    this.batch.abandon();
    void this.threads?.close();
    this.phase.end();
  }

  /** After an error of the remote: names what came before it, and reports that and no more. */
  async keep(): Promise<void> {
    await this.committing;
    await this.batch.commit();
    const { trees = 0, treeBytes = 0 } = this.planner ?? {};
    this.report.objects = trees + this.stored.objects;
    this.report.bytes = treeBytes + this.stored.bytes;
    this.report.packs = this.packs.size;
  }

  /** Brings everything; what happened is in the report. Errors as fetchObjects. */
  async all(roots: readonly FetchRoot[]): Promise<void> {
    const { report } = this;
    const { listings, anyVersions } = this.options;
    const planner = new FetchPlanner(this.session, this.batch, { failed: report.failed, listings, anyVersions });
    this.planner = planner;
    report.upToDate = await planner.plan(roots);
    const files = [...planner.files.values()];
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    report.objects = planner.trees + files.length;
    report.bytes = planner.treeBytes + bytes;
    if (this.options.dryRun) return;
    this.phase.expect({ items: files.length, bytes });
    this.options.copies?.expect(bytes);
    await this.download(planner, files);
    await this.committing;
    await this.batch.commit();
    report.packs = this.packs.size;
  }

  private async download({ chunks: table }: FetchPlanner, files: readonly WantedFile[]): Promise<void> {
    const local = new LocalChunks(this.session, this.options.formerVersions, table);
    await local.find(files);
    const wanted = new WantedChunks<FileInProgress>(table);
    const copies: FileInProgress[] = [];
    for (const file of files) {
      checkInterrupted(this.session.options.signal);
      const open: FileInProgress = { wanted: file, target: undefined, local: undefined, state: 'open' };
      if (file.inline) this.store(open, file.inline);
      else {
        if (file.chunks.count > 1) this.beginLarge(open, local);
        if (open.local) copies.push(open);
        wanted.want(open, file.chunks, open.local?.taken);
      }
    }
    let broken = false;
    const work = [() => this.bring(wanted), () => this.copyLocals(copies, () => !broken)];
    await inParallel(work, work.length, async (part) => {
      try {
        await part();
      } catch (error) {
        broken = true;
        throw error;
      }
    });
  }

  private async bring(wanted: WantedChunks<FileInProgress>): Promise<void> {
    await this.startThreads(wanted);
    await inParallel(wanted.plan(), this.session.options.jobs, (request) => this.readRequest(wanted.request(request)));
  }

  private async startThreads(wanted: WantedChunks<FileInProgress>): Promise<void> {
    if (this.threads || !this.session.remote.getBy) return;
    const { leastBytes = LEAST_THREADED_BYTES, leastRequestBytes, ...start } = this.options.threads ?? {};
    if (wanted.bytes(({ target }) => target !== undefined) < leastBytes) return;
    this.threads = await FetchThreads.start(start);
    if (this.threads) {
      this.threaded = new ThreadedRanges(this.session, { threads: this.threads, leastBytes: leastRequestBytes });
    }
  }

  private beginLarge(file: FileInProgress, local: LocalChunks): void {
    const { oid, size, root } = file.wanted;
    const begin = (): EarlyCopy | undefined => this.options.copies?.begin(oid, size, root);
    file.local = local.part(file.wanted);
    const here = file.local?.runs.reduce((sum, { length }) => sum + length, 0) ?? 0;
    // What comes from this disk keeps it busy: a copy beside it made pulls slower by measurement.
    const beginCopy = 2 * here < size ? begin : undefined;
    file.target = new LargeTarget(this.session.cache, oid, size, {
      beginCopy,
      giveUpCopies: () => this.options.copies?.giveUp(),
    });
    this.inProgress.add(file.target);
  }

  /** Takes what the cache has of former versions of large files. */
  private async copyLocals(files: readonly FileInProgress[], goesOn: () => boolean): Promise<void> {
    for (const file of files) {
      const { local: part, target } = file;
      if (!part || !target) continue;
      await copyLocal(
        this.session,
        { part, target },
        {
          buffers: this.buffers,
          onBytes: (bytes) => this.phase.advance({ bytes }),
          goesOn: () => goesOn() && file.state === 'open',
          check: this.options.copies !== undefined,
        },
      );
      if (target.complete) await this.finish(file);
    }
  }

  private async readRequest(request: RangeRequest<FileChunk>): Promise<void> {
    try {
      checkInterrupted(this.session.options.signal);
      const rest = this.threaded ? await this.readInThread(this.threaded, request) : request;
      if (rest) await this.readHere(rest);
    } catch (error) {
      if (!concernsOnePack(error)) throw error;
      for (const part of request.parts) this.fail(part.use.file, error as MlvError);
    }
    const files = new Set(request.parts.map(({ use }) => use.file));
    for (const file of files) if (file.target?.complete) await this.finish(file);
    await this.commitNowAndThen();
  }

  /** Gives what no thread could bring. */
  private readInThread(
    threaded: ThreadedRanges,
    request: RangeRequest<FileChunk>,
  ): Promise<RangeRequest<FileChunk> | undefined> {
    return threaded.bring(request, ({ use: { file, length } }) => {
      this.packs.add(request.pack);
      if (file.state === 'open') this.phase.advance({ bytes: length });
    });
  }

  private async readHere(request: RangeRequest<FileChunk>): Promise<void> {
    const { cache } = this.session;
    const writer = new RunWriter(this.buffers);
    const key = packKey(cache.hash.algorithm, request.pack);
    const range = { start: request.start, length: request.length };
    checkInterrupted(this.session.options.signal);
    const content = await this.session.remote.get(key, { range, ...this.session.cancel });
    this.packs.add(request.pack);
    await readRange(request, content.body, {
      hash: cache.hash,
      take: (part, bytes) => this.take(part, bytes, writer),
      refuse: (part, error) => this.fail(part.use.file, error),
      room: () => writer.room(),
    });
    writer.send();
  }

  private take({ use: { file, at, digest } }: Wanted<FileChunk>, bytes: Buffer, writer: RunWriter): void {
    if (file.state !== 'open') return;
    this.phase.advance({ bytes: bytes.length });
    if (file.target) writer.add(file.target, bytes, at);
    else this.store(file, bytes, digest);
  }

  /** Stores an object that is in memory. */
  private store(file: FileInProgress, bytes: Buffer, digest = this.session.cache.hash.digest(bytes)): void {
    const { oid } = file.wanted;
    if (!digest.equals(digestOf(oid))) {
      this.fail(file, new MlvError('OBJECT_CORRUPT', `what the remote has as ${oid} is another object`));
      return;
    }
    this.batch.addBytes(bytes, digest.toString('hex'));
    this.isStored(file);
  }

  /** Names a large file that has all its chunks. */
  private async finish(file: FileInProgress): Promise<void> {
    if (file.state !== 'open' || !file.target) return;
    file.state = 'finishing';
    try {
      await file.target.finish(this.batch);
      this.inProgress.delete(file.target);
      this.isStored(file);
    } catch (error) {
      if (!isMlvError(error, 'OBJECT_CORRUPT')) throw error;
      const damaged = this.damagedLocally(file);
      if (damaged.length > 0) await this.bringInstead(file, damaged);
      else this.fail(file, error);
    }
  }

  /** What came from a former version that was damaged since it got its name: that only means that more is downloaded. */
  private damagedLocally({ target, local }: FileInProgress): DamagedChunk[] {
    if (!this.planner || !target || !local) return [];
    return damagedChunks(this.session, { table: this.planner.chunks, target }, local.taken);
  }

  private async bringInstead(file: FileInProgress, damaged: readonly DamagedChunk[]): Promise<void> {
    file.local = undefined;
    file.state = 'open';
    file.target?.reopen(damaged);
    for (const { length } of damaged) this.phase.advance({ bytes: -length });
    const wanted = new WantedChunks<FileInProgress>((this.planner as FetchPlanner).chunks);
    for (const { row } of damaged) wanted.wantRow(file, row);
    await this.bring(wanted);
  }

  private isStored(file: FileInProgress): void {
    file.state = 'stored';
    this.stored.objects++;
    this.stored.bytes += file.wanted.size;
    this.phase.advance({ items: 1 });
  }

  private fail(file: FileInProgress, error: MlvError): void {
    if (file.state !== 'open' && file.state !== 'finishing') return;
    file.state = 'failed';
    if (file.target) {
      this.inProgress.delete(file.target);
      file.target.abandon();
    }
    const { oid, path, size, record } = file.wanted;
    if (this.session.records.forget(record)) this.outdated++;
    this.report.failed.push({ path, oid, reason: reasonOf(error), message: error.message });
    this.report.objects--;
    this.report.bytes -= size;
  }

  private async commitNowAndThen(): Promise<void> {
    if (!this.batch.full && Date.now() - this.committed < COMMIT_EVERY_MS) return;
    this.committed = Date.now();
    const before = this.committing;
    this.committing = before.then(() => this.batch.commit());
    await this.committing;
  }
}

function reasonOf(error: MlvError): 'missing' | 'corrupt' | 'remote' {
  if (error.code === 'REMOTE_NOT_FOUND') return 'missing';
  return error.code === 'REMOTE_PERMANENT' ? 'remote' : 'corrupt';
}

function concernsOnePack(error: unknown): boolean {
  return (
    isMlvError(error, 'REMOTE_NOT_FOUND') || isMlvError(error, 'PACK_INVALID') || isMlvError(error, 'REMOTE_PERMANENT')
  );
}
