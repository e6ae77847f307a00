import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMlvError, systemErrorCode } from '../core/errors.js';
import type { TemporaryFiles } from '../objects/temporary-files.js';
import { inParallel } from './in-parallel.js';
import type { KnownPlaces } from './known-places.js';
import { PACK_FOOTER_BYTES, packTailBytes, parsePackTable } from './pack-format.js';
import { packKey } from './remote-layout.js';
import type { TransferSession } from './session.js';

/**
 * The packs that a push has uploaded and no record names yet: one file a pack with its size and table of contents. A
 * push that was killed goes on behind the last of them. The journal is believed only as far as the remote confirms it.
 */
export class PushJournal {
  private written: string[] = [];

  constructor(
    private readonly directory: string,
    private readonly temporary: TemporaryFiles,
  ) {}

  /** Notes a pack whose upload is done. Never fails: without a note a killed push only sends more again. */
  note(digest: Buffer, bytes: Buffer): void {
    const name = digest.toString('hex');
    const path = this.temporary.next();
    const tail = bytes.subarray(
      bytes.length - packTailBytes(bytes.subarray(-PACK_FOOTER_BYTES), { name, size: bytes.length }),
    );
    const head = Buffer.alloc(8);
    head.writeDoubleLE(bytes.length);
    try {
      mkdirSync(this.directory, { recursive: true });
      writeFileSync(path, Buffer.concat([head, tail]));
      renameSync(path, join(this.directory, name));
      this.written.push(name);
    } catch {
      rmSync(path, { force: true });
    }
  }

  /**
   * Adds the chunks of journaled packs that the remote still has, with the size they had. Gives how many packs.
   * Errors: those of Remote.
   */
  async recall(session: TransferSession, places: KnownPlaces): Promise<number> {
    let found = 0;
    await inParallel(this.names(), session.options.jobs, async (name) => {
      if (await this.recallPack(name, session, places)) found++;
    });
    return found;
  }

  private async recallPack(name: string, session: TransferSession, places: KnownPlaces): Promise<boolean> {
    try {
      const bytes = readFileSync(join(this.directory, name));
      const size = bytes.readDoubleLE(0);
      const table = parsePackTable(bytes.subarray(8), { name, size });
      const entry = await session.remote.stat(packKey(session.cache.hash.algorithm, name), session.cancel);
      if (entry?.size === size) {
        const pack = Buffer.from(name, 'hex');
        for (const { digest, offset, stored, length } of table.entries()) {
          const deflated = stored === length ? undefined : stored;
          places.addChunk(Buffer.from(digest), { pack, offset, deflated });
        }
        this.written.push(name);
        return true;
      }
    } catch (error) {
      const unreadable = isMlvError(error, 'PACK_INVALID') || isMlvError(error, 'FORMAT_TOO_NEW');
      if (!unreadable && systemErrorCode(error) === undefined) throw error;
    }
    rmSync(join(this.directory, name), { force: true });
    return false;
  }

  /** Forgets the packs of this push: records name them now. */
  clear(): void {
    for (const name of this.written) rmSync(join(this.directory, name), { force: true });
    this.written = [];
  }

  private names(): string[] {
    try {
      return readdirSync(this.directory).filter((name) => /^[0-9a-f]{64}$/.test(name));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
