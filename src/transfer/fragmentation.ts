import { DEFAULT_RANGES, planRanges, type RangeRequest } from './range-plan.js';
import type { PlacedChunk } from './record-writer.js';

/** A file is read as a pull does it; a request costs as much as the bytes that are rather read than asked around. */
const { gap: REQUEST_BYTES, most: MOST_BYTES } = DEFAULT_RANGES;

/** A file whose reading costs more than that many times what it costs in one piece is scattered ... */
const MOST_SCATTERED = 2;

/** ... and as much of it is written afresh as brings it down to that. */
const REWRITTEN_TO = 1.5;

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
  const bytes = requests.reduce((sum, { length }) => sum + length, 0);
  return { requests: requests.length, bytes, ratio: costOf(requests) / costInOnePiece(requests) };
}

/**
 * Which chunks of a file (by index) its next version should not take over but write afresh: none unless the file is
 * scattered, otherwise those of the requests that fetch the least for what they cost, as many as it takes. Pure.
 */
export function scatteredChunks(chunks: readonly PlacedChunk[]): ReadonlySet<number> {
  const scattered = new Set<number>();
  const requests = requestsFor(chunks);
  const least = costInOnePiece(requests);
  let cost = costOf(requests);
  if (cost <= MOST_SCATTERED * least) return scattered;
  // What is written afresh takes a request of its own.
  cost += REQUEST_BYTES;
  const byGain = requests
    .map((request) => ({ request, useful: usefulBytes(request) }))
    .sort((left, right) => overhead(right) - overhead(left));
  for (const { request, useful } of byGain) {
    if (cost <= REWRITTEN_TO * least) break;
    cost -= request.length + REQUEST_BYTES - useful * (1 + REQUEST_BYTES / MOST_BYTES);
    for (const { use } of request.parts) scattered.add(use);
  }
  return scattered;
}

type ChunkRequest = RangeRequest<number>;

/** What is paid for each byte that is wanted, beyond that byte. */
function overhead({ request, useful }: { request: ChunkRequest; useful: number }): number {
  return (request.length + REQUEST_BYTES - useful) / useful;
}

function requestsFor(chunks: readonly PlacedChunk[]): ChunkRequest[] {
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

function costOf(requests: readonly ChunkRequest[]): number {
  return requests.reduce((sum, { length }) => sum + length + REQUEST_BYTES, 0);
}

function costInOnePiece(requests: readonly ChunkRequest[]): number {
  const bytes = requests.reduce((sum, request) => sum + usefulBytes(request), 0);
  return bytes + Math.max(1, Math.ceil(bytes / MOST_BYTES)) * REQUEST_BYTES;
}

/** Bytes of a request that are wanted, each once. */
function usefulBytes({ parts }: ChunkRequest): number {
  let bytes = 0;
  let end = 0;
  for (const { offset, length } of parts) {
    if (offset >= end) bytes += length;
    end = offset + length;
  }
  return bytes;
}
