import type { Phase } from '../core/reporter.js';
import { digestOf, type Oid } from '../objects/oid.js';
import type { KnownPlaces } from './known-places.js';
import { PackFiller, SentChunk } from './pack-filler.js';
import type { PackUploader } from './pack-uploader.js';
import { PushSource } from './push-source.js';
import { PushThreads } from './push-threads.js';
import type { PlacedChunk } from './record-writer.js';
import type { RemoteInfo } from './remote-info.js';
import type { TransferSession } from './session.js';
import { Turns } from './turns.js';

export interface ChunkSenderOptions {
  session: TransferSession;
  info: RemoteInfo;
  /** Where chunks are already; what is sent is added. */
  places: KnownPlaces;
  uploader: PackUploader;
  phase: Phase;
  /** Only count what would be sent. */
  dryRun: boolean;
}

/** Sends the chunks of cached files that the remote does not have. */
export class ChunkSender {
  /** With `dryRun`, the bytes that would be sent. */
  plannedBytes = 0;
  readonly turns: Turns;
  private readonly source: PushSource;
  private readonly threads: PushThreads;
  private readonly filler: PackFiller;

  constructor(private readonly options: ChunkSenderOptions) {
    const { session, info, uploader, phase, places, dryRun } = options;
    this.threads = new PushThreads({ isMostlyCutting: dryRun || places.size > 0 });
    this.source = new PushSource(session.cache, info.chunker, (size) => this.threads.cutters(size));
    this.turns = new Turns(session.options.signal);
    const compressor = session.options.compress ? this.threads : undefined;
    this.filler = new PackFiller({ uploader, phase, compressor });
  }

  /** The bytes of a small object: a view that the next call of any method overwrites. Errors as `file`. */
  bytesOf(oid: Oid, size: number): Buffer {
    return this.source.readWhole(oid, size);
  }

  /**
   * Sends what the remote lacks of a file; gives where all of its chunks are (nothing of use with `dryRun`). Errors:
   * `OBJECT_MISSING`, `OBJECT_CORRUPT`, those of the uploads, `INTERRUPTED`.
   */
  async file({ oid, size }: { oid: Oid; size: number }): Promise<PlacedChunk[]> {
    const chunks: PlacedChunk[] = [];
    if (size <= this.options.info.chunker.whole) await this.whole({ oid, size }, chunks);
    else {
      this.begin(size);
      await this.source.eachChunk(oid, size, (digest, bytes) => this.send(digest, bytes, chunks));
    }
    return chunks;
  }

  /** As `file`, for one that is one chunk: there is a promise only where something has to be waited for. */
  whole({ oid, size }: { oid: Oid; size: number }, chunks: PlacedChunk[] = []): undefined | Promise<void> {
    this.begin(size);
    return this.send(digestOf(oid), this.source.readWhole(oid, size), chunks);
  }

  /** Sees to it that everything that was sent is in a pack. Errors: those of the uploads. */
  finish(): Promise<void> {
    return this.filler.finish();
  }

  /** Ends what works beside the main thread. Never fails. */
  close(): Promise<void> {
    return this.threads.close();
  }

  private begin(size: number): void {
    this.options.phase.expect({ bytes: size });
    this.filler.beginFile();
  }

  private send(digest: Buffer, bytes: Buffer, into: PlacedChunk[]): undefined | Promise<void> {
    const { places, phase, dryRun } = this.options;
    const { length } = bytes;
    const known = places.chunk(digest);
    if (known) {
      // One that is on its way has no place yet: its own object will tell.
      const { pack, offset, deflated } = known;
      into.push(known instanceof SentChunk ? known : { digest, length, pack, offset, deflated });
      phase.expect({ bytes: -length });
      return this.turns.due();
    }
    if (dryRun) {
      this.plannedBytes += length;
      places.addChunk(digest, { pack: digest, offset: 0 });
      return this.turns.due();
    }
    const chunk = new SentChunk(digest, length);
    places.addChunk(digest, chunk);
    into.push(chunk);
    return this.filler.add(chunk, bytes) ?? this.turns.due();
  }
}
