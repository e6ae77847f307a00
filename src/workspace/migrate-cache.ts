import { copyFileSync, linkSync, lstatSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isHeld } from '../config/lock-file.js';
import { isMlvError, MlvError, systemErrorCode } from '../core/errors.js';
import { type Phase, type Reporter, silentReporter } from '../core/reporter.js';
import { temporaryName } from '../core/temporary-name.js';
import type { RepositoryLayout } from '../git/git.js';
import { type CachedObject, corrupt, ObjectCache } from '../objects/cache.js';
import { CacheBatch } from '../objects/cache-batch.js';
import { cacheError } from '../objects/cache-error.js';
import { makeCacheDirectory } from '../objects/group-directory.js';
import type { HashFunction } from '../objects/hash.js';
import { ALGORITHMS, type Algorithm } from '../objects/oid.js';
import { linksInto } from './cache-links.js';
import { writeNote } from './cache-move-note.js';
import { MOVED_FILE } from './cache-moved.js';
import { forgetTenant, otherTenants, registerTenant } from './cache-tenants.js';
import { CacheUse, whileAlone } from './cache-use.js';
import { CACHE_NOTES, namesIn, removeFormerCache } from './former-cache.js';
import { temporaryBeside } from './workspace-temporary.js';

/** System errors that say that one file cannot have a second name there. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/** What is moved where, and what that needs of the world. */
export interface CacheMigrationOptions {
  /** Absolute. */
  from: string;
  to: string;
  layout: RepositoryLayout;
  /** Tops of all working trees of the repository, and their Git directories. */
  worktrees: readonly string[];
  gitDirs: readonly string[];
  loadHash: (algorithm: Algorithm) => Promise<HashFunction>;
  /** Has the configuration name the new directory. */
  switchTo: (directory: string) => Promise<void>;
  reporter?: Reporter;
  signal?: AbortSignal;
}

/** What a move did. */
export interface CacheMigration {
  from: string;
  to: string;
  /** Objects that came by this call: a second name for the same bytes, or a copy that was checked. */
  linked: number;
  copied: number;
  /** Objects that were there already. */
  present: number;
  /** Bytes of the copies. */
  bytes: number;
  /** Links of working trees that lead to the new place now. */
  relinked: number;
  /** False where other repositories use the former cache, which then stays as it is. */
  removed: boolean;
}

/**
 * Moves a cache. Objects get a second name in the new place, or where that is on another disk are copied and checked;
 * most of it beside the work of others. Then, alone with the former cache, what came meanwhile follows, a note there says
 * where the cache is now, and the configuration is switched. Only then do links of the working trees follow, and the former
 * objects go, each only where the new place has it. Killed anywhere, it is finished by the same call. Errors: `CACHE_BUSY`
 * also while a run is in progress, `OBJECT_CORRUPT`, `DISK_FULL`, `FILE_SYSTEM`, `PATH_NOT_FOUND`
 * where something else is in the new place.
 */
export async function migrateCache(options: CacheMigrationOptions): Promise<CacheMigration> {
  const { from, to, layout } = options;
  const run = new CacheMigrationRun(options);
  makeDirectory(to);
  registerTenant(to, layout);
  // A collection of the new cache, by another repository, must not take what is not named yet.
  const use = new CacheUse(to);
  await use.begin();
  try {
    await run.bring();
    const shared = otherTenants(from, layout).length > 0;
    if (shared) await run.switchOver(false);
    else await whileAlone(from, undefined, () => run.finishAlone());
    run.relink();
    run.report.removed = !shared;
    if (!shared) removeFormerCache(from, to);
    forgetTenant(from, layout);
    return run.report;
  } finally {
    run.end();
    use.end();
  }
}

class CacheMigrationRun {
  readonly report: CacheMigration;
  private readonly phase: Phase;
  private readonly seen = new Set<string>();

  constructor(private readonly options: CacheMigrationOptions) {
    const { from, to, reporter = silentReporter } = options;
    this.report = { from, to, linked: 0, copied: 0, present: 0, bytes: 0, relinked: 0, removed: false };
    this.phase = reporter.phase('Moving the cache', { unit: 'objects' });
  }

  end(): void {
    this.phase.end();
  }

  /** Brings every object that the new place lacks. */
  async bring(): Promise<void> {
    for (const algorithm of ALGORITHMS) {
      const folder = join(this.options.from, 'objects', algorithm);
      if (!statSync(folder, { throwIfNoEntry: false })) continue;
      const hash = await this.options.loadHash(algorithm);
      await this.bringAll(new ObjectCache(this.options.from, hash), new ObjectCache(this.options.to, hash));
    }
  }

  private async bringAll(source: ObjectCache, target: ObjectCache): Promise<void> {
    const batch = new CacheBatch(target);
    try {
      for (const { oid, size } of source.list()) {
        this.options.signal?.throwIfAborted();
        if (this.seen.has(oid)) continue;
        this.seen.add(oid);
        if (await isThere(source, target, { oid, size })) this.report.present++;
        else if (link(source.pathOf(oid), target.pathOf(oid))) this.report.linked++;
        else {
          const path = source.pathOf(oid);
          const { digest } = await batch.addFile(path, { ...(this.options.signal && { signal: this.options.signal }) });
          if (target.oid(digest) !== oid) throw corrupt(oid, path);
          this.report.copied++;
          this.report.bytes += size;
          if (batch.full) await batch.commit();
        }
        this.phase.advance({ items: 1, bytes: size });
      }
      await batch.commit();
    } finally {
      batch.abandon();
    }
  }

  /** What nobody may work beside. */
  async finishAlone(): Promise<void> {
    for (const gitDir of this.options.gitDirs) requireNoRun(gitDir);
    await this.bring();
    await this.switchOver(true);
  }

  async switchOver(isMoved: boolean): Promise<void> {
    const { from, to, switchTo } = this.options;
    for (const name of CACHE_NOTES) copyNotes(join(from, name), join(to, name));
    rmSync(join(to, MOVED_FILE), { force: true });
    // First, so that a command which read the former configuration finds out.
    if (isMoved) writeNote(join(from, MOVED_FILE), to);
    await switchTo(to);
  }

  relink(): void {
    const { from, to, worktrees } = this.options;
    const objects = join(from, 'objects');
    for (const top of worktrees) {
      for (const { path, to: target } of linksInto(top, objects)) {
        const moved = join(to, relative(from, target));
        if (!statSync(moved, { throwIfNoEntry: false })) continue;
        const temporary = temporaryBeside(path);
        symlinkSync(moved, temporary);
        renameSync(temporary, path);
        this.report.relinked++;
      }
    }
  }
}

/** A run between its command's begin and end holds no word on the cache, and goes on with it afterwards. */
function requireNoRun(gitDir: string): void {
  const folder = join(gitDir, 'mlv', 'outputs');
  for (const name of namesIn(folder)) {
    if (!name.endsWith('.lock') || !isHeld(join(folder, name))) continue;
    throw new MlvError('CACHE_BUSY', 'a run is in progress: its outputs would go to the former cache', {
      hint: 'run the same command again when it is done; nothing has to be copied twice',
      data: { lock: join(folder, name) },
    });
  }
}

/**
 * True where the new place has an object: the same file, or one that was read and is right, as the former goes. A damaged
 * one is set aside.
 */
async function isThere(source: ObjectCache, target: ObjectCache, { oid, size }: CachedObject): Promise<boolean> {
  const there = target.stat(oid);
  if (there?.size !== size) return false;
  const here = source.stat(oid);
  if (here?.ino === there.ino && here.dev === there.dev) return true;
  try {
    await target.verify(oid);
    return true;
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_CORRUPT')) throw error;
    await target.quarantineDamaged(oid);
    return false;
  }
}

/** False where the file cannot have a second name there. */
function link(from: string, to: string): boolean {
  try {
    makeCacheDirectory(dirname(to));
    // What is there is shorter or longer than it must be: cut off by a crash.
    rmSync(to, { force: true });
    linkSync(from, to);
    return true;
  } catch (error) {
    if (NO_LINK.has(systemErrorCode(error) ?? '')) return false;
    throw cacheError('move', from, error);
  }
}

function copyNotes(from: string, to: string): void {
  for (const name of namesIn(from)) {
    const source = join(from, name);
    if (statSync(source).isDirectory()) copyNotes(source, join(to, name));
    else if (!lstatSync(join(to, name), { throwIfNoEntry: false })) copyNote(source, join(to, name));
  }
}

/** One that has its name is whole: it is never copied again. */
function copyNote(from: string, to: string): void {
  const temporary = `${to}.${temporaryName()}`;
  try {
    makeCacheDirectory(dirname(to));
    copyFileSync(from, temporary);
    renameSync(temporary, to);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw cacheError('write', to, error);
  }
}

function makeDirectory(path: string): void {
  try {
    makeCacheDirectory(path);
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    throw cacheError('create the directory', path, error);
  }
  throw new MlvError('PATH_NOT_FOUND', `'${path}' is not a directory`, { data: { path } });
}
