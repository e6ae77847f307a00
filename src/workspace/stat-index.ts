import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { HashFunction } from '../objects/hash.js';
import { TemporaryFiles } from '../objects/temporary-files.js';
import { DirectoryBlock } from './directory-block.js';
import { decodeIndex, encodeIndex, type IndexedTarget } from './index-format.js';
import { sealOf } from './index-layout.js';

/** Keys of what is no directory; no path is named like them. */
const FILES = '';
const BASES = '\0bases';
const OWN_NAMES: ReadonlyMap<string, string> = new Map([
  [FILES, 'files'],
  [BASES, 'bases'],
]);

/** Timestamps of file systems that keep whole seconds only, and of those with the kernel's tick (at most 10 ms). */
const COARSE_MS = 2000;
const FINE_MS = 20;

/**
 * What this worktree's files looked like when their content was last read: one file a tracked directory, and two for
 * all tracked files. Only a cache: it may be deleted at any time, and a damaged one counts as absent.
 */
export class StatIndex {
  private readonly directory: string;
  private readonly temporary: TemporaryFiles;

  /** `gitDir` is the worktree's own Git directory. */
  constructor(
    gitDir: string,
    private readonly hash: HashFunction,
  ) {
    this.directory = join(gitDir, 'mlv', 'index');
    this.temporary = new TemporaryFiles(join(gitDir, 'mlv', 'tmp'));
  }

  /** What is known of a tracked directory (its path relative to the top); undefined when nothing is. */
  load(target: string): IndexedTarget | undefined {
    try {
      const path = this.pathOf(target);
      const bytes = readFileSync(path);
      const indexed = decodeIndex(bytes, this.hash);
      if (indexed) indexed.block.stored = { path, seal: Buffer.from(sealOf(bytes)) };
      return indexed;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined;
      throw fileSystemError('read', this.pathOf(target), error);
    }
  }

  /** Remembers a tracked directory. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
  save(target: string, indexed: IndexedTarget): void {
    const temporary = this.temporary.next();
    try {
      mkdirSync(this.directory, { recursive: true });
      writeParts(temporary, encodeIndex(indexed, this.hash));
      renameSync(temporary, this.pathOf(target));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw fileSystemError('write', this.pathOf(target), error);
    }
  }

  /** Forgets a target. */
  forget(target: string): void {
    rmSync(this.pathOf(target), { force: true });
  }

  /** What is known of all tracked single files; entry names are paths relative to the top. */
  loadFiles(): DirectoryBlock {
    return this.load(FILES)?.block ?? new DirectoryBlock([]);
  }

  saveFiles(block: DirectoryBlock): void {
    this.save(FILES, { base: undefined, block });
  }

  /** What mlv left at the tracked single files the last time; see FileBases. */
  loadBases(): DirectoryBlock {
    return this.load(BASES)?.block ?? new DirectoryBlock([]);
  }

  saveBases(block: DirectoryBlock): void {
    this.save(BASES, { base: undefined, block });
  }

  /**
   * The change time (ms) from which on a file is too young for its stat to be trusted, by the file system's own clock:
   * it could change again within the same tick. Git's "racy" rule (Documentation/technical/racy-git).
   */
  racyFrom(): number {
    const probe = this.temporary.next();
    try {
      writeFileSync(probe, '');
      const now = statSync(probe).ctimeMs;
      return now - (now % 1000 === 0 ? COARSE_MS : FINE_MS);
    } catch (error) {
      throw fileSystemError('write', probe, error);
    } finally {
      rmSync(probe, { force: true });
    }
  }

  private pathOf(target: string): string {
    return join(
      this.directory,
      OWN_NAMES.get(target) ?? createHash('sha256').update(target).digest('hex').slice(0, 40),
    );
  }
}

function writeParts(path: string, parts: Buffer[]): void {
  const descriptor = openSync(path, 'wx', 0o644);
  try {
    // The kernel takes at most 1,024 buffers a call (IOV_MAX), and may take fewer bytes than it was given.
    for (let from = 0; from < parts.length; from += 512) {
      let group: Buffer[] = parts.slice(from, from + 512);
      while (group.length > 0) group = rest(group, writevSync(descriptor, group));
    }
  } finally {
    closeSync(descriptor);
  }
}

function rest(parts: Buffer[], written: number): Buffer[] {
  let left = written;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Buffer;
    if (left < part.length) return [part.subarray(left), ...parts.slice(index + 1)];
    left -= part.length;
  }
  return [];
}
