import { availableParallelism } from 'node:os';
import { type ChunkBatch, compressBatch, type StoredBatch } from './chunk-batch.js';
import { PushThread } from './push-thread.js';

/** Files from that size are cut in a thread, or in two: it takes longer to cut them than to start it. */
const LEAST_CUT_BYTES = 16 * 1024 * 1024;
const LEAST_CUT_TWICE = 64 * 1024 * 1024;

/** Threads that cut: what the main thread does with what they give keeps no more of them at work. */
const MOST_CUTTERS = 2;

/** Bytes that are compressed on the main thread before threads are started: small pushes need none. */
const LEAST_COMPRESSED_BYTES = 4 * 1024 * 1024;

/** Threads that compress: some 250 MB/s of text, and 40 MiB of memory each. */
const MOST_COMPRESSORS = 2;

export interface PushThreadsOptions {
  cores?: number;
  /** True where chunks are known already, or none is sent: then cutting is most of the work. */
  isMostlyCutting?: boolean;
}

/** The threads of one push, each started when there is enough work for it. */
export class PushThreads {
  /** Batches that may be under way at once. */
  readonly width: number;
  private readonly cutting: Promise<PushThread | undefined>[] = [];
  private readonly most: number;
  private readonly compressors: Promise<PushThread | undefined>[] = [];
  private compressed = 0;
  private batches = 0;

  constructor({ cores = availableParallelism(), isMostlyCutting = false }: PushThreadsOptions = {}) {
    this.width = Math.max(1, Math.min(MOST_COMPRESSORS, cores));
    // Everything else that a first version needs takes a core of its own.
    this.most = Math.max(1, Math.min(MOST_CUTTERS, isMostlyCutting ? cores : cores - 1));
  }

  /** The threads that cut a file of `size` bytes; none when it is cut better, or only, without them. */
  async cutters(size: number): Promise<PushThread[]> {
    if (size < LEAST_CUT_BYTES) return [];
    const count = size < LEAST_CUT_TWICE ? 1 : this.most;
    while (this.cutting.length < count) this.cutting.push(PushThread.start());
    const threads = await Promise.all(this.cutting.slice(0, count));
    return threads.filter((thread) => thread !== undefined);
  }

  /** Compresses a batch; its buffer comes back in the result. Error: `INTERNAL` when a thread ends. */
  async compress(batch: ChunkBatch): Promise<StoredBatch> {
    this.compressed += batch.bytes.length;
    if (this.compressed < LEAST_COMPRESSED_BYTES) return compressBatch(batch);
    const index = this.batches++ % this.width;
    this.compressors[index] ??= PushThread.start();
    const thread = await this.compressors[index];
    return thread ? thread.request({ kind: 'compress', batch }, [batch.bytes.buffer]) : compressBatch(batch);
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    const threads = await Promise.all([...this.cutting, ...this.compressors]);
    await Promise.all(threads.map((thread) => thread?.close()));
  }
}
