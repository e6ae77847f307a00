import { isMlvError, MlvError } from '../core/errors.js';
import { readContent } from '../remotes/remote.js';
import { PACK_FOOTER_BYTES, type PackTable, packTailBytes, parsePackTable } from './pack-format.js';
import { verifyPack } from './pack-verify.js';
import { packKey } from './remote-layout.js';
import type { TransferSession } from './session.js';

/** A pack's tail that is read at first: its table of contents, unless it is an unusually long one. */
const TAIL_BYTES = 64 * 1024;

/** A chunk that a record says is in a pack. */
export interface NeededChunk {
  offset: number;
  digest: Buffer;
  /** Bytes in the pack, and raw. */
  stored: number;
  length: number;
}

/** What records need of one pack. */
export class PackNeed {
  /** What the pack is needed for: paths of tracked files and directories. */
  readonly paths = new Set<string>();
  private readonly chunks = new Map<number, NeededChunk>();
  /** An offset for which two records name different chunks: at most one of them can be right. */
  private conflict: number | undefined;

  add({ offset, digest, stored, length }: NeededChunk, path: string): void {
    this.paths.add(path);
    const before = this.chunks.get(offset);
    if (!before) this.chunks.set(offset, { offset, digest: Buffer.from(digest), stored, length });
    else if (!isSame(before, { offset, digest, stored, length })) this.conflict = offset;
  }

  /** The first offset at which the pack does not hold what is needed, by its table of contents. */
  missingIn(table: PackTable): number | undefined {
    if (this.conflict !== undefined) return this.conflict;
    const missing = new Set(this.chunks.keys());
    for (const entry of table.entries()) {
      const wanted = this.chunks.get(entry.offset);
      if (wanted && isSame(wanted, entry)) missing.delete(entry.offset);
    }
    return missing.values().next().value;
  }
}

function isSame(one: NeededChunk, other: NeededChunk): boolean {
  return one.stored === other.stored && one.length === other.length && one.digest.equals(other.digest);
}

export interface PackCheckOptions {
  need: PackNeed;
  /** Most bytes that a pack of this remote has. */
  most: number;
  /** Read every byte, not only the table of contents. */
  deep: boolean;
  /** Called with the bytes that were read for a deep check. */
  onBytes?: (bytes: number) => void;
}

/** What is wrong with a pack; `bytes` is its size, 0 where it is not there. */
export interface PackCheck {
  bytes: number;
  problem?: { kind: 'pack-missing' | 'pack-damaged'; message: string };
}

/** Checks one pack on the remote against what records need of it. Errors: those of Remote, `FORMAT_TOO_NEW`. */
export async function checkPack(session: TransferSession, hex: string, options: PackCheckOptions): Promise<PackCheck> {
  const key = packKey(session.cache.hash.algorithm, hex);
  const gone: PackCheck = { bytes: 0, problem: { kind: 'pack-missing', message: `pack ${hex} is not there` } };
  const damaged = (bytes: number, message: string): PackCheck => ({
    bytes,
    problem: { kind: 'pack-damaged', message },
  });
  const entry = await session.remote.stat(key, session.cancel);
  if (!entry) return gone;
  if (entry.size > options.most) {
    return damaged(
      entry.size,
      `pack ${hex} is damaged: it has ${entry.size} bytes, and none has more than ${options.most}`,
    );
  }
  try {
    const table = await (options.deep
      ? readAll(session, hex, options)
      : lookAtTable(session, { hex, size: entry.size }, options));
    const wrong = options.need.missingIn(table);
    if (wrong === undefined) return { bytes: entry.size };
    return damaged(entry.size, `pack ${hex} does not hold what records say is at offset ${wrong}`);
  } catch (error) {
    if (isMlvError(error, 'REMOTE_NOT_FOUND')) return gone;
    if (isMlvError(error, 'PACK_INVALID')) return damaged(entry.size, error.message);
    throw error;
  }
}

async function readAll(session: TransferSession, hex: string, options: PackCheckOptions): Promise<PackTable> {
  const content = await session.remote.get(packKey(session.cache.hash.algorithm, hex), session.cancel);
  const bytes = await readContent(content);
  options.onBytes?.(bytes.length);
  return verifyPack(bytes, Buffer.from(hex, 'hex'), session.cache.hash);
}

async function lookAtTable(
  session: TransferSession,
  pack: { hex: string; size: number },
  options: PackCheckOptions,
): Promise<PackTable> {
  try {
    return await readTable(session, pack);
  } catch (error) {
    if (!isMlvError(error, 'FORMAT_TOO_NEW')) throw error;
    // Only the digest of the whole pack tells a later version's pack from a damaged one.
    return readAll(session, pack.hex, options);
  }
}

async function readTable(session: TransferSession, pack: { hex: string; size: number }): Promise<PackTable> {
  const identity = { name: pack.hex, size: pack.size };
  const tail = await readTail(session, pack, Math.min(TAIL_BYTES, pack.size));
  if (tail.length < PACK_FOOTER_BYTES) return parsePackTable(tail, identity);
  const needed = packTailBytes(tail.subarray(-PACK_FOOTER_BYTES), identity);
  return parsePackTable(needed <= tail.length ? tail : await readTail(session, pack, needed), identity);
}

async function readTail(
  session: TransferSession,
  { hex, size }: { hex: string; size: number },
  length: number,
): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  const range = { start: size - length, length };
  try {
    const key = packKey(session.cache.hash.algorithm, hex);
    return await readContent(await session.remote.get(key, { range, ...session.cancel }));
  } catch (error) {
    // It became shorter between the two looks.
    if (isMlvError(error, 'REMOTE_PERMANENT')) {
      throw new MlvError('PACK_INVALID', `pack ${hex} is damaged: it cannot be read`, { cause: error });
    }
    throw error;
  }
}
