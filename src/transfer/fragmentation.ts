import { DEFAULT_RANGES, planRanges, type RangeRequest, type Wanted } from './range-plan.js';
import type { PlacedChunk } from './record-writer.js';

/** A file is read as a pull does it; a request costs as much as the bytes that are rather read than asked around. */
const { gap: REQUEST_BYTES, most: MOST_BYTES } = DEFAULT_RANGES;

/** A file whose reading costs more than that many times what it costs in one piece is scattered ... */
export const MOST_SCATTERED = 2;

/** ... and as much of it is written afresh as brings it down to that. */
export const REWRITTEN_TO = 1.5;

/** What bounds how dear reading may become: more than `most` is brought down to `to`. */
export interface ScatterBounds {
  /** Requests beyond the factor that nobody minds, before and after. */
  spare: { most: number; to: number };
}

/** A file with a record of its own: it is large enough for the factors alone. */
const OF_FILE: ScatterBounds = { spare: { most: 0, to: 0 } };

/**
 * The small files of a directory: a few requests more are made at once, and without them a small directory would be
 * written afresh with every second version.
 */
export const OF_DIRECTORY: ScatterBounds = { spare: { most: 16, to: 8 } };

/** What one request brings: its bytes, and how many of them are wanted. */
export interface RequestUse {
  length: number;
  useful: number;
}

/** What it costs to read a file whose chunks lie as they do. */
export interface ReadCost {
  requests: number;
  /** Bytes of the requests, with those in between that nobody wants. */
  bytes: number;
  /** The cost as a multiple of that of the same bytes in one piece. */
  ratio: number;
}

/** What a reader that has nothing of a file pays for it. Pure. */
export function readCost(chunks: readonly PlacedChunk[]): ReadCost {
  const requests = requestsFor(chunks);
  const uses = requests.map(({ length, parts }) => ({ length, useful: usefulBytes(parts) }));
  const bytes = uses.reduce((sum, { length }) => sum + length, 0);
  return { requests: uses.length, bytes, ratio: costOf(uses) / costInOnePiece(uses) };
}

/**
 * Which chunks of a file (by index) its next version should not take over but write afresh: none unless the file is
 * scattered, otherwise those of the requests that fetch the least for what they cost, as many as it takes. Pure.
 */
export function scatteredChunks(chunks: readonly PlacedChunk[]): ReadonlySet<number> {
  const scattered = new Set<number>();
  const requests = requestsFor(chunks).map(({ length, parts }) => ({ length, useful: usefulBytes(parts), parts }));
  for (const { parts } of dearRequests(requests, OF_FILE)) for (const { use } of parts) scattered.add(use);
  return scattered;
}

/**
 * Of the requests that read something, those whose content should be written afresh: none while all of them cost no
 * more than the bounds allow, otherwise the ones that fetch the least for what they cost, as many as it takes. Pure.
 */
export function dearRequests<R extends RequestUse>(requests: readonly R[], { spare }: ScatterBounds): R[] {
  const chosen: R[] = [];
  const least = costInOnePiece(requests);
  let cost = costOf(requests);
  if (cost <= MOST_SCATTERED * least + spare.most * REQUEST_BYTES) return chosen;
  // What is written afresh takes a request of its own.
  cost += REQUEST_BYTES;
  const most = REWRITTEN_TO * least + spare.to * REQUEST_BYTES;
  for (const request of [...requests].sort((left, right) => overhead(right) - overhead(left))) {
    if (cost <= most) break;
    cost -= request.length + REQUEST_BYTES - request.useful * (1 + REQUEST_BYTES / MOST_BYTES);
    chosen.push(request);
  }
  return chosen;
}

/** Directories of more files are not looked at with each version: that takes two seconds for a million. */
export const OFTEN_FILES = 200_000;

/**
 * True for versions of a directory that are looked at for scattered files: all, but of a huge one every fourth, as its own
 * digest decides (a version more or less makes no difference to what is scattered). Pure.
 */
export function isLookedAt({ files, digest }: { files: number; digest: Buffer }): boolean {
  return files <= OFTEN_FILES || (digest[0] as number) % 4 === 0;
}

/** True for a request that dearRequests may choose: once all such are written afresh, no bound is passed. Pure. */
export function mayBeDear(request: RequestUse): boolean {
  return overhead(request) > REWRITTEN_TO - 1;
}

/** What is paid for each byte that is wanted, beyond that byte. */
function overhead({ length, useful }: RequestUse): number {
  return (length + REQUEST_BYTES - useful) / useful;
}

function requestsFor(chunks: readonly PlacedChunk[]): RangeRequest<number>[] {
  // Chunks of one record share the buffers of their packs: one text for all of them.
  const names = new Map<Buffer, string>();
  const nameOf = (pack: Buffer): string => {
    const name = names.get(pack) ?? pack.toString('hex');
    names.set(pack, name);
    return name;
  };
  const wanted = chunks.map(({ pack, offset, length, deflated }, use) => {
    return { pack: nameOf(pack), offset, length: deflated ?? length, use };
  });
  return planRanges(wanted);
}

function costOf(requests: readonly RequestUse[]): number {
  return requests.reduce((sum, { length }) => sum + length + REQUEST_BYTES, 0);
}

function costInOnePiece(requests: readonly RequestUse[]): number {
  const bytes = requests.reduce((sum, { useful }) => sum + useful, 0);
  return bytes + Math.max(1, Math.ceil(bytes / MOST_BYTES)) * REQUEST_BYTES;
}

/** Bytes of a request's parts, each once. */
function usefulBytes(parts: readonly Wanted<number>[]): number {
  let bytes = 0;
  let end = 0;
  for (const { offset, length } of parts) {
    if (offset >= end) bytes += length;
    end = offset + length;
  }
  return bytes;
}
