import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { changedWhileRead } from '../objects/cache-batch.js';
import { SMALL_FILE_BYTES } from '../objects/link-modes.js';
import type { StreamResult } from '../objects/stream-copy.js';
import { KIND } from '../objects/tree-format.js';
import { type DirectoryBlock, pickStat, STAT_FIELDS } from './directory-block.js';

/** What happens to the content of a file that must be read: status only hashes it, add stores it as well. */
export interface ContentSink {
  /** Takes a whole small file and gives its digest. The buffer is used again afterwards. */
  small(bytes: Buffer): Buffer;
  /** Takes a large file and gives its digest and size. */
  large(path: string, options: { executable: boolean }): Promise<StreamResult>;
  /** Called between files; a promise is waited for. */
  between?(): Promise<void> | undefined;
}

export interface ReadOptions {
  worktree: string;
  /** Change times from here on (ms) are too young to be trusted: the entry will be read again next time. */
  racyFrom: number;
  /** Called after each file with the bytes that were not reported by the sink itself. */
  onFile?: (bytes: number) => void;
  signal?: AbortSignal;
}

interface ReadRun {
  sink: ContentSink;
  /** Room for one small file. */
  buffer: Buffer;
  options: ReadOptions;
}

/** Files of a walk whose digest is not known, in parallel arrays: there may be a million. */
export class PendingFiles {
  private readonly blocks: DirectoryBlock[] = [];
  private readonly indexes: number[] = [];
  private readonly paths: string[] = [];
  /** Bytes of all of them. */
  bytes = 0;

  get length(): number {
    return this.blocks.length;
  }

  /** `path` is the directory that the block describes, relative to the repository's top. */
  push(block: DirectoryBlock, index: number, path: string): void {
    this.blocks.push(block);
    this.indexes.push(index);
    this.paths.push(path);
    this.bytes += block.sizeAt(index);
  }

  /** Takes out the entries for which `known` answers true, having recorded their digest itself. */
  resolve(known: (block: DirectoryBlock, index: number, directory: string) => boolean): void {
    let kept = 0;
    this.bytes = 0;
    for (let position = 0; position < this.length; position++) {
      const { block, index } = this.entryAt(position);
      const directory = this.paths[position] as string;
      if (known(block, index, directory)) continue;
      this.blocks[kept] = block;
      this.indexes[kept] = index;
      this.paths[kept] = directory;
      this.bytes += block.sizeAt(index);
      kept++;
    }
    for (const list of [this.blocks, this.indexes, this.paths]) list.length = kept;
  }

  /** The block and index of a pending file. */
  entryAt(position: number): { block: DirectoryBlock; index: number } {
    return { block: this.blocks[position] as DirectoryBlock, index: this.indexes[position] as number };
  }

  /** Path of a pending file, relative to the repository's top. */
  pathAt(position: number): string {
    const block = this.blocks[position] as DirectoryBlock;
    const name = block.names[this.indexes[position] as number] as string;
    const directory = this.paths[position] as string;
    return directory === '' ? name : `${directory}/${name}`;
  }

  /**
   * Reads every pending file once, gives its bytes to the sink and records the digest.
   * Errors: `FILE_CHANGED_WHILE_READ`, `FILE_SYSTEM`, and the sink's own.
   */
  async read(sink: ContentSink, options: ReadOptions): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(SMALL_FILE_BYTES + 1);
    let turnAt = Date.now() + 50;
    for (let position = 0; position < this.length; position++) {
      options.signal?.throwIfAborted();
      const reading = this.readOne(position, { sink, buffer, options });
      if (reading) await reading;
      const waiting = sink.between?.();
      if (waiting) await waiting;
      if (Date.now() >= turnAt) {
        await nextTurn();
        turnAt = Date.now() + 50;
      }
    }
  }

  /** Done on return for a small file: a promise each would cost more than its bytes. */
  private readOne(position: number, run: ReadRun): undefined | Promise<void> {
    const { block, index } = this.entryAt(position);
    const path = `${run.options.worktree}/${this.pathAt(position)}`;
    const small = block.sizeAt(index) <= SMALL_FILE_BYTES ? readSmall(path, run.buffer, { block, index }) : undefined;
    if (small === undefined) return this.readLarge(position, path, run);
    block.setDigest(index, run.sink.small(small));
    this.finish(position, small.length, run.options);
    return undefined;
  }

  private async readLarge(position: number, path: string, run: ReadRun): Promise<void> {
    const { block, index } = this.entryAt(position);
    const { digest, size } = await run.sink.large(path, { executable: block.kindAt(index) === KIND.executable });
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat || size !== block.sizeAt(index) || !isSameFile(block, index, stat)) throw changedWhileRead(path);
    // Taking the file in by a hard link moves its change time.
    if (stat.ctimeMs !== block.stats[index * STAT_FIELDS + 2]) block.setStat(index, stat);
    block.setDigest(index, digest);
    this.finish(position, 0, run.options);
  }

  private finish(position: number, bytes: number, { onFile, racyFrom }: ReadOptions): void {
    const { block, index } = this.entryAt(position);
    onFile?.(bytes);
    if ((block.stats[index * STAT_FIELDS + 2] as number) >= racyFrom) block.distrust(index);
  }
}

/** True when size, modification time and inode are as recorded, whatever the change time. */
function isSameFile(block: DirectoryBlock, index: number, stat: Stats): boolean {
  return block.sameStat(index, { ...pickStat(stat), ctimeMs: block.stats[index * STAT_FIELDS + 2] as number });
}

/**
 * The bytes of a small file, in the given buffer. Tried a second time when the file is not what the walk saw;
 * undefined when it has grown out of the buffer meanwhile.
 */
function readSmall(path: string, buffer: Buffer, entry: { block: DirectoryBlock; index: number }): Buffer | undefined {
  for (let attempt = 0; attempt < 2; attempt++) {
    const { count, stat } = readOnce(path, buffer);
    if (count === stat.size && entry.block.sameStat(entry.index, stat)) return buffer.subarray(0, count);
    if (stat.size > SMALL_FILE_BYTES) return undefined;
    entry.block.setStat(entry.index, stat);
  }
  throw changedWhileRead(path);
}

function readOnce(path: string, buffer: Buffer): { count: number; stat: Stats } {
  try {
    const descriptor = openSync(path, 'r');
    try {
      let count = readSync(descriptor, buffer, 0, buffer.length, null);
      let stat = fstatSync(descriptor);
      // As a rule one read gives it all. What grew in between is of another size than was read.
      for (let read = count; count < stat.size && count < buffer.length && read !== 0; count += read) {
        read = readSync(descriptor, buffer, count, buffer.length - count, null);
        stat = fstatSync(descriptor);
      }
      return { count, stat };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw changedWhileRead(path);
    throw fileSystemError('read', path, error);
  }
}
