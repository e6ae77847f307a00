import type { Phase } from '../core/reporter.js';
import type { ChunkBatch, StoredBatch } from './chunk-batch.js';
import { CompressionGuess } from './chunk-codec.js';
import type { PackUploader } from './pack-uploader.js';
import type { PlacedChunk } from './record-writer.js';

/** Bytes that are compressed at once. */
const BATCH_BYTES = 2 * 1024 * 1024;

/** Compresses batches, `width` of them at a time. */
export interface BatchCompressor {
  readonly width: number;
  /** The batch's buffer comes back in the result. */
  compress(batch: ChunkBatch): Promise<StoredBatch>;
}

export interface PackFillerOptions {
  uploader: PackUploader;
  phase: Phase;
  /** Absent where chunks are stored as they are. */
  compressor?: BatchCompressor | undefined;
}

const UNNAMED = Buffer.alloc(0);

/** A chunk that is being sent: where it is comes to be known when it goes into a pack, and the pack's name after that. */
export class SentChunk implements PlacedChunk {
  pack: Buffer = UNNAMED;
  offset = 0;
  deflated: number | undefined;

  constructor(
    readonly digest: Buffer,
    readonly length: number,
  ) {}
}

/**
 * Brings chunks into packs: at once those that compression does not promise to make smaller, the others by way of a
 * compressor, in batches. Memory is bounded: `add` waits when too many batches are under way.
 */
export class PackFiller {
  private readonly buffers: Uint8Array<ArrayBuffer>[] = [];
  private open: { bytes: Uint8Array<ArrayBuffer>; length: number; chunks: SentChunk[] } | undefined;
  private guess = new CompressionGuess();
  private readonly waiting: { chunks: SentChunk[]; result: Promise<StoredBatch> }[] = [];

  constructor(private readonly options: PackFillerOptions) {}

  /** Says that the chunks from now on are another file's. */
  beginFile(): void {
    this.guess = new CompressionGuess();
  }

  /** Takes a chunk; `bytes` may be used again when the promise, if there is one, is done. Errors: those of the uploads. */
  add(chunk: SentChunk, bytes: Uint8Array): undefined | Promise<void> {
    const { compressor } = this.options;
    if (!compressor || !this.guess.promises(bytes)) return this.place(chunk, bytes);
    if (this.open && this.open.length + bytes.length <= this.open.bytes.length) return this.stage(chunk, bytes);
    return this.submit(compressor).then(() => this.stage(chunk, bytes));
  }

  /** Brings everything that was added into packs. Errors: those of the uploads. */
  async finish(): Promise<void> {
    const { compressor } = this.options;
    if (compressor) await this.submit(compressor);
    while (this.waiting.length > 0) await this.drain();
  }

  private stage(chunk: SentChunk, bytes: Uint8Array): undefined {
    this.open ??= { bytes: this.buffer(bytes.length), length: 0, chunks: [] };
    this.open.bytes.set(bytes, this.open.length);
    this.open.length += bytes.length;
    this.open.chunks.push(chunk);
  }

  private buffer(least: number): Uint8Array<ArrayBuffer> {
    const free = this.buffers.pop();
    return free && free.length >= least ? free : new Uint8Array(Math.max(BATCH_BYTES, least));
  }

  private async submit(compressor: BatchCompressor): Promise<void> {
    if (this.open) {
      const { bytes, chunks } = this.open;
      this.open = undefined;
      const lengths = Uint32Array.from(chunks, ({ length }) => length);
      const result = compressor.compress({ bytes, lengths });
      // Whoever waits for it gets the error; until then it is nobody's.
      result.catch(() => {});
      this.waiting.push({ chunks, result });
    }
    while (this.waiting.length > compressor.width) await this.drain();
  }

  private async drain(): Promise<void> {
    const next = this.waiting.shift();
    if (!next) return;
    const { bytes, stored } = await next.result;
    let at = 0;
    for (const [index, chunk] of next.chunks.entries()) {
      const length = stored[index] as number;
      const room = this.place(chunk, bytes.subarray(at, at + length));
      if (room) await room;
      at += length;
    }
    this.buffers.push(bytes);
  }

  private place(chunk: SentChunk, bytes: Uint8Array): undefined | Promise<void> {
    const { uploader } = this.options;
    if (!uploader.hasRoom(bytes.length, chunk.length)) return uploader.makeRoom().then(() => this.put(chunk, bytes));
    this.put(chunk, bytes);
    return undefined;
  }

  private put(chunk: SentChunk, bytes: Uint8Array): void {
    const { uploader, phase } = this.options;
    const { pack, offset } = uploader.add(chunk, bytes);
    chunk.pack = pack;
    chunk.offset = offset;
    if (bytes.length === chunk.length) return;
    chunk.deflated = bytes.length;
    phase.expect({ bytes: bytes.length - chunk.length });
  }
}
