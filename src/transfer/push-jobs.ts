import { type HashPreference, loadHash } from '../objects/hash.js';
import type { Algorithm } from '../objects/oid.js';
import { type ChunkBatch, compressBatch, type StoredBatch } from './chunk-batch.js';
import type { ChunkerParams } from './chunker.js';
import { type CutBlock, FileCutter } from './file-cutter.js';

/** A file to be cut by the jobs `cut` that follow: by a descriptor, which all threads of a process share. */
export interface CutFile {
  descriptor: number;
  chunker: ChunkerParams;
  algorithm: Algorithm;
  preference: HashPreference;
}

/** What a push's thread is asked for: buffers go to it and come back without a copy. */
export type PushJob =
  | { kind: 'ready' }
  | { kind: 'open'; file: CutFile }
  | { kind: 'cut'; buffer: ArrayBuffer }
  | { kind: 'compress'; batch: ChunkBatch };

/** The answer to a job of each kind. */
export interface PushAnswers {
  ready: undefined;
  open: undefined;
  cut: CutBlock;
  compress: StoredBatch;
}

/** An answer on its way back: a value, or what was raised (an error loses its `code` between threads). */
export type PushAnswer = { value: PushAnswers[PushJob['kind']] } | { error: unknown; code: string | undefined };

/** Does the jobs of one thread, one after the other. */
export class JobRunner {
  private cutter: FileCutter | undefined;

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
    if (job.kind === 'cut') return this.cutter?.next(new Uint8Array(job.buffer));
    if (job.kind === 'open') {
      const { descriptor, chunker, algorithm, preference } = job.file;
      this.cutter = new FileCutter(descriptor, await loadHash(algorithm, preference), chunker);
    }
    return undefined;
  }
}
