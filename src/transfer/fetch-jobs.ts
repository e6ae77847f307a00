import { writeSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type HashFunction, type HashPreference, loadHash } from '../objects/hash.js';
import type { Algorithm } from '../objects/oid.js';
import { type Agents, patientAgents } from '../remotes/patient-agents.js';
import type { PlainGet } from '../remotes/remote.js';
import type { RangeRequest, Wanted } from './range-plan.js';
import { type ChunkUse, RangeCutter } from './range-reader.js';

/** Chunks that follow each other are written in pieces of this size. */
const PIECE_BYTES = 256 * 1024;

/** Numbers of a part of a job: see `parts` of RangeJob. */
export const PART_COLUMNS = 5;

/** A ranged request that a thread makes and whose chunks it writes to where they belong. */
export interface RangeJob {
  id: number;
  get: PlainGet;
  /** The range: its first byte in the pack, and bytes. */
  start: number;
  length: number;
  algorithm: Algorithm;
  preference: HashPreference;
  /** Open files, which all threads of a process share. */
  descriptors: number[];
  /** Of each, the descriptor of a copy that is written, too; -1 where there is none. */
  copies: number[];
  /** By part, as planRanges orders them: offset in the pack, stored bytes, raw bytes, offset in the file, its descriptor's index. */
  parts: Float64Array;
  /** 32 bytes a part. */
  digests: Uint8Array;
}

/** What a fetch's thread is told: a job, or to leave one. */
export type FetchTask = { kind: 'ready' } | { kind: 'range'; job: RangeJob } | { kind: 'leave'; id: number };

/**
 * What it answers: how many parts of a job are written so far, and bytes that arrived; `ended` comes once, and nothing of
 * the job is written afterwards.
 */
export type FetchAnswer =
  | { kind: 'ready' }
  | { kind: 'progress' | 'ended'; id: number; written: number; received: number };

interface PartUse extends ChunkUse {
  descriptor: number;
  /** Descriptor of the copy, or -1. */
  copy: number;
  at: number;
}

/** Makes the ranged requests of one thread, several at once. */
export class RangeJobs {
  private readonly agents: Agents = patientAgents();
  private readonly running = new Map<number, AbortController>();
  private readonly buffers: Buffer[] = [];
  private hash: Promise<HashFunction> | undefined;

  constructor(private readonly answer: (answer: FetchAnswer) => void) {}

  /** Never fails: what cannot be done is left to whoever asked. */
  take(task: FetchTask): void {
    if (task.kind === 'ready') this.answer({ kind: 'ready' });
    else if (task.kind === 'leave') this.running.get(task.id)?.abort();
    else void this.run(task.job);
  }

  private async run(job: RangeJob): Promise<void> {
    const leave = new AbortController();
    this.running.set(job.id, leave);
    const counts = { written: 0, received: 0 };
    const tell = (kind: 'progress' | 'ended'): void => this.answer({ kind, id: job.id, ...counts });
    const pieces = new Pieces(this.buffers, (written) => {
      counts.written += written;
      tell('progress');
    });
    try {
      this.hash ??= loadHash(job.algorithm, job.preference);
      const cutter = new RangeCutter(requestOf(job), {
        hash: await this.hash,
        take: ({ use }, bytes) => pieces.add(use, bytes),
        // Whoever asked looks into it: what came before is kept.
        refuse: (_part, error) => {
          throw error;
        },
      });
      await receive(await this.open(job, leave.signal), job, (bytes) => {
        counts.received += bytes.length;
        cutter.push(bytes);
      });
    } catch {
      // How far it came is the answer.
    }
    pieces.end();
    this.running.delete(job.id);
    tell('ended');
  }

  private open({ get }: RangeJob, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(get.url);
    const secure = url.protocol === 'https:';
    const agent = secure ? this.agents.https : this.agents.http;
    return new Promise((resolve, reject) => {
      const request = (secure ? requestHttps : requestHttp)(url, { headers: get.headers, agent, signal });
      request.on('error', reject);
      request.on('response', (response) => {
        response.on('error', () => undefined);
        resolve(response);
      });
      request.end();
    });
  }
}

/** Gives the bytes of an answer that is exactly what was asked for. Error: for any other, and one that breaks off. */
function receive(response: IncomingMessage, job: RangeJob, take: (bytes: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      response.destroy();
      reject(error);
    };
    if (!isTheRange(response, job)) return refuse(new Error('another answer'));
    let left = job.length;
    response.on('data', (bytes: Buffer) => {
      left -= bytes.length;
      try {
        take(bytes);
      } catch (error) {
        refuse(error as Error);
      }
    });
    response.on('error', reject);
    response.on('close', () => (left === 0 && response.complete ? resolve() : reject(new Error('a short answer'))));
  });
}

function isTheRange({ statusCode, headers }: IncomingMessage, { start, length }: RangeJob): boolean {
  const range = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(headers['content-range'] ?? '');
  return (
    statusCode === 206 &&
    Number(headers['content-length']) === length &&
    (headers['content-encoding'] ?? 'identity') === 'identity' &&
    Number(range?.[1]) === start &&
    Number(range?.[2]) === start + length - 1
  );
}

function requestOf(job: RangeJob): RangeRequest<PartUse> {
  const parts: Wanted<PartUse>[] = [];
  for (let index = 0; index * PART_COLUMNS < job.parts.length; index++) {
    const [offset, length, raw, at, file] = job.parts.subarray(index * PART_COLUMNS, (index + 1) * PART_COLUMNS);
    const digest = Buffer.from(job.digests.buffer, job.digests.byteOffset + index * 32, 32);
    const use = {
      digest,
      length: raw as number,
      at: at as number,
      descriptor: job.descriptors[file as number] as number,
      copy: job.copies[file as number] as number,
    };
    parts.push({ pack: '', offset: offset as number, length: length as number, use });
  }
  return { pack: '', start: job.start, length: job.length, parts };
}

/** Gathers chunks that follow each other in a file into few writes. */
class Pieces {
  private buffer: Buffer | undefined;
  private length = 0;
  private chunks = 0;
  private descriptor = -1;
  private copy = -1;
  private at = 0;

  /** @param written told how many further chunks are in their files. */
  constructor(
    private readonly free: Buffer[],
    private readonly written: (chunks: number) => void,
  ) {}

  /** Takes a copy. Errors: those of writing what came before, or this. */
  add({ descriptor, copy, at }: PartUse, bytes: Buffer): void {
    const follows = descriptor === this.descriptor && at === this.at + this.length;
    this.buffer ??= this.free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
    if (!follows || this.length + bytes.length > this.buffer.length) {
      this.write();
      this.descriptor = descriptor;
      this.copy = copy;
      this.at = at;
    }
    if (this.buffer.length < bytes.length) this.buffer = Buffer.allocUnsafeSlow(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    this.chunks++;
  }

  /** Writes what is left, as far as that goes. */
  end(): void {
    try {
      this.write();
    } catch {
      // It is written again by whoever asked, who says what is wrong.
    }
    if (this.buffer) this.free.push(this.buffer);
    this.buffer = undefined;
  }

  private write(): void {
    const { buffer, length, chunks } = this;
    this.length = 0;
    this.chunks = 0;
    if (!buffer || length === 0) return;
    for (const descriptor of this.copy < 0 ? [this.descriptor] : [this.descriptor, this.copy]) {
      for (let done = 0; done < length; ) {
        done += writeSync(descriptor, buffer, done, length - done, this.at + done);
      }
    }
    this.written(chunks);
  }
}
