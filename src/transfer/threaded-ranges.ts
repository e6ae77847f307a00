import type { Carrier } from '../remotes/remote.js';
import { PART_COLUMNS } from './fetch-jobs.js';
import type { FetchProgress, FetchThreads, NewRangeJob } from './fetch-thread.js';
import type { LargeTarget } from './large-target.js';
import type { RangeRequest, Wanted } from './range-plan.js';
import type { ChunkUse } from './range-reader.js';
import { packKey } from './remote-layout.js';
import type { TransferSession } from './session.js';

/** Bytes of ranges from which on threads are started for them. */
export const LEAST_THREADED_BYTES = 48 * 1024 * 1024;
/** A smaller request is made and cut sooner than it is explained to a thread. */
const LEAST_REQUEST_BYTES = 256 * 1024;

/** A chunk of a large file. */
export interface TargetChunk extends ChunkUse {
  /** Offset in the file. */
  at: number;
  file: { target: LargeTarget | undefined };
}

export interface ThreadedRangesOptions {
  threads: FetchThreads;
  /** Smallest request that is given to a thread; 256 KiB by default. */
  leastBytes?: number | undefined;
}

/** Has threads bring ranges of packs into large files: they receive, check and write, and this thread keeps the account. */
export class ThreadedRanges {
  constructor(
    private readonly session: TransferSession,
    private readonly options: ThreadedRangesOptions,
  ) {}

  /**
   * Brings what it can of a request, telling `landed` of each part that is in its file; gives what is left of it to be
   * asked for as ever, undefined where nothing is. Errors: `DISK_FULL`, `FILE_SYSTEM`, `INTERRUPTED`.
   */
  async bring<T extends TargetChunk>(
    request: RangeRequest<T>,
    landed: (part: Wanted<T>) => void,
  ): Promise<RangeRequest<T> | undefined> {
    const targets = targetsOf(request);
    const { remote, cache, cancel } = this.session;
    if (!targets || !remote.getBy || !this.isWorthIt(request)) return request;
    const landing = new Landing(request, landed);
    const range = { start: request.start, length: request.length };
    const borrowed: LargeTarget[] = [];
    try {
      for (const target of targets) {
        target.lend();
        borrowed.push(target);
      }
      const carrier: Carrier = (get, onBytes) => {
        const progress = (written: number, received: number): void => {
          if (received > 0) onBytes(received);
          landing.upTo(written);
        };
        return this.carry(request, targets, { get, progress });
      };
      await remote.getBy(carrier, packKey(cache.hash.algorithm, request.pack), { range, ...cancel });
    } finally {
      for (const target of borrowed) target.giveBack();
    }
    return restOf(request, landing.count);
  }

  private isWorthIt({ length }: RangeRequest<TargetChunk>): boolean {
    const { threads, leastBytes = LEAST_REQUEST_BYTES } = this.options;
    return threads.usable && length >= leastBytes;
  }

  /** Has a thread make the request as `get` says, while the files are lent; true where all of its parts are in them. */
  private async carry(
    request: RangeRequest<TargetChunk>,
    targets: readonly LargeTarget[],
    { get, progress }: Pick<NewRangeJob, 'get'> & { progress: FetchProgress },
  ): Promise<boolean> {
    const descriptors = targets.map((target) => target.borrowed);
    const copies = targets.map((target) => target.borrowedCopy ?? -1);
    const { start, length } = request;
    const job = { get, start, length, ...this.hashing, descriptors, copies, ...packed(request, targets) };
    const { signal } = this.session.options;
    return (await this.options.threads.carry(job, { progress, signal })) === request.parts.length;
  }

  private get hashing(): Pick<NewRangeJob, 'algorithm' | 'preference'> {
    const { algorithm, implementation } = this.session.cache.hash;
    return { algorithm, preference: implementation === 'wasm' ? 'wasm' : 'auto' };
  }
}

/** Which parts of a request are in their files: those from the first on. */
class Landing<T extends TargetChunk> {
  count = 0;

  constructor(
    private readonly request: RangeRequest<T>,
    private readonly landed: (part: Wanted<T>) => void,
  ) {}

  /** Tells of the parts up to that many that were not told of yet. */
  upTo(count: number): void {
    for (; this.count < count; this.count++) {
      const part = this.request.parts[this.count] as Wanted<T>;
      part.use.file.target?.landed(part.use.at, part.use.length);
      this.landed(part);
    }
  }
}

/** The files of a request, where all are collected in files of their own. */
function targetsOf<T extends TargetChunk>({ parts }: RangeRequest<T>): LargeTarget[] | undefined {
  const targets = new Set<LargeTarget>();
  for (const { use } of parts) {
    if (!use.file.target || use.file.target.isDropped) return undefined;
    targets.add(use.file.target);
  }
  return [...targets];
}

function packed<T extends TargetChunk>(
  { parts }: RangeRequest<T>,
  targets: readonly LargeTarget[],
): Pick<NewRangeJob, 'parts' | 'digests'> {
  const numbers = new Float64Array(parts.length * PART_COLUMNS);
  const digests = new Uint8Array(parts.length * 32);
  for (const [index, { offset, length, use }] of parts.entries()) {
    const file = targets.indexOf(use.file.target as LargeTarget);
    numbers.set([offset, length, use.length, use.at, file], index * PART_COLUMNS);
    digests.set(use.digest, index * 32);
  }
  return { parts: numbers, digests };
}

/** A request for the parts from the one with that index on. */
function restOf<T>(request: RangeRequest<T>, from: number): RangeRequest<T> | undefined {
  const parts = request.parts.slice(from);
  const first = parts[0];
  if (!first) return undefined;
  return { pack: request.pack, start: first.offset, length: request.start + request.length - first.offset, parts };
}
