import { isMlvError, MlvError } from '../core/errors.js';
import type { HashFunction } from '../objects/hash.js';
import { chunkContent } from './chunk-codec.js';
import type { RangeRequest, Wanted } from './range-plan.js';

/** A part of a range: which chunk it must be. */
export interface ChunkUse {
  /** Digest of the chunk's raw bytes. */
  digest: Buffer;
  /** Raw bytes: more than the part's where the chunk is compressed. */
  length: number;
}

/** Takes a chunk's raw bytes, which were compared with its digest; they are used again when it returns. */
export type ChunkSink<T> = (part: Wanted<T>, bytes: Buffer) => void;

export interface RangeReaderOptions<T> {
  hash: HashFunction;
  take: ChunkSink<T>;
  /** Takes the chunks that are not what they must be: one damaged chunk does not stop the others. */
  refuse: (part: Wanted<T>, error: MlvError) => void;
  /** Something to wait for before more is read, when the sink is behind. */
  room?: () => Promise<void> | undefined;
  /** Called with the bytes that arrived. */
  onBytes?: (bytes: number) => void;
}

/**
 * Cuts the body of a ranged request into the chunks that are wanted, expands what is compressed, checks each against its
 * digest and hands it on:
 * memory is one chunk, whatever the range. Parts must be as planRanges gives them: in ascending order of offsets, each
 * the same bytes as the one before or none of them. `refuse` gets `PACK_INVALID` for a chunk with other content. Error: `REMOTE_TRANSIENT` for a short body.
 */
export async function readRange<T extends ChunkUse>(
  request: RangeRequest<T>,
  body: AsyncIterable<Uint8Array>,
  options: RangeReaderOptions<T>,
): Promise<void> {
  const cutter = new RangeCutter(request, options);
  for await (const bytes of body) {
    options.onBytes?.(bytes.length);
    cutter.push(bytes);
    const room = options.room?.();
    if (room) await room;
  }
  cutter.end();
}

/** Cuts the body of a ranged request as it arrives: see readRange. */
export class RangeCutter<T extends ChunkUse> {
  /** Where in the pack the next byte of the body is. */
  private position: number;
  private next = 0;
  private held: Buffer = Buffer.alloc(0);
  private heldLength = 0;

  constructor(
    private readonly request: RangeRequest<T>,
    private readonly options: RangeReaderOptions<T>,
  ) {
    this.position = request.start;
  }

  /** Takes the next bytes of the body. Errors: those of the sinks. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const part = this.request.parts[this.next];
      if (!part) return;
      if (this.heldLength === 0 && this.position < part.offset) {
        const skip = Math.min(part.offset - this.position, bytes.length - at);
        this.position += skip;
        at += skip;
        continue;
      }
      const take = Math.min(part.length - this.heldLength, bytes.length - at);
      const piece = bytes.subarray(at, at + take);
      at += take;
      this.position += take;
      if (this.heldLength === 0 && take === part.length)
        this.complete(Buffer.from(piece.buffer, piece.byteOffset, take));
      else this.hold(piece, part.length);
    }
  }

  /** Told that this was the body. Error: `REMOTE_TRANSIENT` where it is too short. */
  end(): void {
    if (this.next < this.request.parts.length) {
      throw new MlvError(
        'REMOTE_TRANSIENT',
        `pack ${this.request.pack}: the remote sent fewer bytes than were asked for`,
        {
          data: { pack: this.request.pack },
        },
      );
    }
  }

  private hold(piece: Uint8Array, length: number): void {
    if (this.held.length < length) {
      const larger = Buffer.allocUnsafe(length);
      this.held.copy(larger, 0, 0, this.heldLength);
      this.held = larger;
    }
    this.held.set(piece, this.heldLength);
    this.heldLength += piece.length;
    if (this.heldLength < length) return;
    this.heldLength = 0;
    this.complete(this.held.subarray(0, length));
  }

  private content(stored: Buffer, length: number): Content {
    try {
      const bytes = chunkContent(stored, length);
      return { length, bytes, digest: this.options.hash.digest(bytes) };
    } catch (error) {
      if (isMlvError(error, 'PACK_INVALID')) return { length, bytes: undefined, digest: stored };
      throw error;
    }
  }

  private complete(bytes: Buffer): void {
    const first = this.request.parts[this.next] as Wanted<T>;
    let content: Content | undefined;
    // One chunk may be wanted in several places: they follow each other with the same offset.
    for (;;) {
      const part = this.request.parts[this.next];
      if (!part || part.offset !== first.offset) return;
      this.next++;
      // Only a forged record has two raw lengths for one place.
      if (content?.length !== part.use.length) content = this.content(bytes, part.use.length);
      if (content.bytes && part.use.digest.equals(content.digest)) this.options.take(part, content.bytes);
      else this.options.refuse(part, damagedChunk(this.request.pack, part));
    }
  }
}

interface Content {
  /** Raw bytes that were expected. */
  length: number;
  bytes: Buffer | undefined;
  digest: Buffer;
}

function damagedChunk<T extends ChunkUse>(pack: string, part: Wanted<T>): MlvError {
  const chunk = part.use.digest.toString('hex');
  return new MlvError(
    'PACK_INVALID',
    `pack ${pack} is damaged: chunk ${chunk} (${part.length} bytes at offset ${part.offset}) has other content`,
    {
      hint: 'repair the remote from a cache that has the data: mlv fsck --remote --repair',
      data: { pack, chunk, offset: part.offset },
    },
  );
}
