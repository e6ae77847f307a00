import { closeSync } from 'node:fs';
import { checkInterrupted } from '../remotes/interrupted.js';
import type { ChunkTable } from './chunk-table.js';
import type { LocalPart } from './fetch-reuse.js';
import { FormerCheck } from './former-check.js';
import type { LargeTarget } from './large-target.js';
import { type FreeBuffers, RunWriter } from './run-writer.js';
import type { TransferSession } from './session.js';

export interface LocalCopyOptions {
  buffers: FreeBuffers;
  /** Told of bytes that were read. */
  onBytes: (bytes: number) => void;
  /** Asked before each piece: false ends the copy. */
  goesOn: () => boolean;
  /** Look, on the way, whether the former version is whole, for a checkout that replaces it. */
  check: boolean;
}

/** No more bytes than that are hashed in one go, for those that follow not to be read back. */
const MOST_LAG = 4 * 1024 * 1024;

/**
 * Writes what a former version has of a file to where it belongs, unchecked: the whole is compared with its oid when it
 * is there. Errors: `DISK_FULL`, `FILE_SYSTEM`, `OBJECT_MISSING`, `INTERRUPTED`.
 */
export async function copyLocal(
  session: TransferSession,
  { part, target }: { part: LocalPart; target: LargeTarget },
  { buffers, onBytes, goesOn, check }: LocalCopyOptions,
): Promise<void> {
  const writer = new RunWriter(buffers);
  const { descriptor } = session.cache.open(part.former);
  try {
    const former = check ? new FormerCheck(session.cache, part.former, descriptor) : undefined;
    const took = former && ((bytes: Uint8Array, offset: number): void => former.took(bytes, offset));
    for (const { from, at, length } of part.runs) {
      await former?.passTo(from, goesOn);
      for (let done = 0; done < length && goesOn(); ) {
        checkInterrupted(session.options.signal);
        await hashInOrder(writer, target, at + done);
        const count = writer.addFrom(target, { descriptor, at: from + done, length: length - done, took }, at + done);
        done += count;
        onBytes(count);
        const room = writer.room();
        if (room) await room;
      }
    }
    writer.send();
    await former?.end(goesOn);
  } finally {
    closeSync(descriptor);
  }
}

/** What came from the remote in between may be there by now: then what follows is hashed from memory again. */
async function hashInOrder(writer: RunWriter, target: LargeTarget, at: number): Promise<void> {
  // Pieces that are gathered count only when they are sent.
  const lag = target.hashLag(at) - writer.gathered;
  if (lag <= 0 || lag > MOST_LAG) return;
  await writer.drain();
  target.hashUpTo(at);
}

/** A chunk of a file that is not what it must be. */
export interface DamagedChunk {
  row: number;
  /** Offset in the file. */
  offset: number;
  length: number;
}

/** Finds which of the chunks in those rows are not what they must be in a target. Errors: `FILE_SYSTEM`, `INTERRUPTED`. */
export function damagedChunks(
  session: TransferSession,
  { table, target }: { table: ChunkTable; target: LargeTarget },
  rows: ReadonlySet<number>,
): DamagedChunk[] {
  const damaged: DamagedChunk[] = [];
  let buffer = Buffer.alloc(0);
  for (const row of rows) {
    const [offset, length] = [table.at(row), table.length(row)];
    checkInterrupted(session.options.signal);
    if (buffer.length < length) buffer = Buffer.allocUnsafe(length);
    const bytes = buffer.subarray(0, length);
    target.readBack(bytes, offset);
    if (!session.cache.hash.digest(bytes).equals(table.digest(row))) damaged.push({ row, offset, length });
  }
  return damaged;
}
