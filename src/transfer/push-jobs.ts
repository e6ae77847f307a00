import { type HashPreference, loadHash } from '../objects/hash.js';
import type { Algorithm } from '../objects/oid.js';
import { type ChunkBatch, compressBatch, type StoredBatch } from './chunk-batch.js';
import type { ChunkerParams } from './chunker-params.js';
import { type CutSpan, SpanCutter } from './span-cutter.js';

/** A file to be cut by the jobs `cut` that follow: by a descriptor, which all threads of a process share. */
export interface CutFile {
  descriptor: number;
  size: number;
  chunker: ChunkerParams;
  algorithm: Algorithm;
  preference: HashPreference;
}

/** What a push's thread is asked for: buffers go to it and come back without a copy. */
export type PushJob =
  | { kind: 'ready' }
  | { kind: 'open'; file: CutFile }
  | { kind: 'cut'; start: number; buffer: ArrayBuffer }
  | { kind: 'compress'; batch: ChunkBatch };

/** The answer to a job of each kind. */
export interface PushAnswers {
  ready: undefined;
  open: undefined;
  cut: CutSpan;
  compress: StoredBatch;
}

/** An answer on its way back: a value, or what was raised (an error loses its `code` between threads). */
export type PushAnswer = { value: PushAnswers[PushJob['kind']] } | { error: unknown; code: string | undefined };

/** Does the jobs of one thread, one after the other. */
export class JobRunner {
  private cutter: SpanCutter | undefined;

  /** Never fails: what goes wrong is the answer. `transfer` are the buffers to hand over with it. */
  async run(job: PushJob): Promise<{ answer: PushAnswer; transfer: ArrayBuffer[] }> {
    try {
      const value = await this.answer(job);
      return { answer: { value }, transfer: value ? [value.bytes.buffer] : [] };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return { answer: { error, code: typeof code === 'string' ? code : undefined }, transfer: [] };
    }
  }

  private async answer(job: PushJob): Promise<PushAnswers[PushJob['kind']]> {
    if (job.kind === 'compress') return compressBatch(job.batch);
    if (job.kind === 'cut') return this.cutter?.cut(job.start, new Uint8Array(job.buffer));
    if (job.kind === 'open') {
      const { descriptor, size, chunker, algorithm, preference } = job.file;
      const hash = await loadHash(algorithm, preference);
      this.cutter = new SpanCutter({ descriptor, size, hash, params: chunker });
    }
    return undefined;
  }
}
