import type { Phase } from '../core/reporter.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { bytesBody } from '../remotes/remote.js';
import { PackBuilder } from './pack-builder.js';
import type { PushJournal } from './push-journal.js';
import type { ChunkPlace } from './record-writer.js';
import { packKey } from './remote-layout.js';
import type { TransferSession } from './session.js';

/** Bytes of packs under way at once, each with its buffer: what bounds a push's memory. */
const UPLOAD_BYTES = 64 * 1024 * 1024;

export interface UploaderOptions {
  session: TransferSession;
  journal: PushJournal;
  /** Bytes of a full pack. */
  packBytes: number;
  /** True for packs that a collection may delete: none of that name is made. */
  isMarked?: ((pack: Buffer) => boolean) | undefined;
  phase: Phase;
}

/**
 * Fills packs with chunks and uploads each as it is full, a few at a time. A place that `add` gives has its pack's
 * name only once that pack is finished; after `finish` all have.
 */
export class PackUploader {
  /** Packs and their bytes that were uploaded. */
  packs = 0;
  bytes = 0;
  private builder: PackBuilder | undefined;
  private name = Buffer.alloc(DIGEST_BYTES);
  private readonly buffers: Buffer[] = [];
  private readonly uploads = new Set<Promise<void>>();
  private failure: unknown;
  private readonly most: number;

  constructor(private readonly options: UploaderOptions) {
    const affordable = Math.max(1, Math.floor(UPLOAD_BYTES / options.packBytes));
    this.most = Math.min(affordable, options.session.options.jobs);
  }

  /** True when a chunk of `length` bytes that takes `stored` in the pack can be added without a wait. */
  hasRoom(stored: number, length = stored): boolean {
    return this.builder?.fits(stored, length) ?? false;
  }

  /** Sends the pack that is full and waits for a free buffer. Errors: those of the uploads. */
  async makeRoom(): Promise<void> {
    this.seal();
    while (this.uploads.size >= this.most) await Promise.race(this.uploads);
    if (this.failure !== undefined) throw this.failure;
    const buffer = this.buffers.pop();
    const { packBytes: capacity, isMarked: isTaken } = this.options;
    const hasher = this.options.session.cache.hash.create();
    this.builder = new PackBuilder({ capacity, hasher, ...(buffer && { buffer }), ...(isTaken && { isTaken }) });
    this.name = Buffer.alloc(DIGEST_BYTES);
  }

  /** Adds a chunk that has room, as it is stored: see PackBuilder.add. */
  add({ digest, length }: { digest: Buffer; length: number }, bytes: Uint8Array): ChunkPlace {
    const offset = (this.builder as PackBuilder).add(digest, bytes, length);
    return { pack: this.name, offset };
  }

  /** Sends what is left and waits for all uploads. Errors: those of the uploads. */
  async finish(): Promise<void> {
    this.seal();
    while (this.uploads.size > 0) await Promise.race(this.uploads);
    if (this.failure !== undefined) throw this.failure;
  }

  private seal(): void {
    const builder = this.builder;
    this.builder = undefined;
    if (!builder || builder.count === 0) return;
    const { session } = this.options;
    const pack = builder.finish(session.cache.hash);
    pack.digest.copy(this.name);
    const upload = this.upload(pack.digest, pack.bytes).catch((error: unknown) => {
      this.failure ??= error;
    });
    const tracked: Promise<void> = upload.then(() => {
      this.uploads.delete(tracked);
      this.buffers.push(Buffer.from(pack.bytes.buffer, pack.bytes.byteOffset, builder.capacity));
    });
    this.uploads.add(tracked);
  }

  private async upload(digest: Buffer, bytes: Buffer): Promise<void> {
    const { session, journal, phase } = this.options;
    const { algorithm } = session.cache.hash;
    const body = bytesBody(bytes, algorithm === 'sha256' ? digest : undefined);
    await session.remote.put(packKey(algorithm, digest), body, session.cancel);
    journal.note(digest, bytes);
    this.packs++;
    this.bytes += bytes.length;
    phase.advance({ bytes: bytes.length, items: 1 });
  }
}
