/** A stretch of a pack that somebody wants. */
export interface Wanted<T> {
  /** Hex digest of the pack. */
  pack: string;
  offset: number;
  length: number;
  /** What it is wanted for. */
  use: T;
}

/** One ranged request, and what is in it, in ascending order of offsets. */
export interface RangeRequest<T> {
  pack: string;
  start: number;
  length: number;
  parts: Wanted<T>[];
}

export interface RangePlanOptions {
  /** Bytes between two stretches that are rather read than asked around. */
  gap: number;
  /** Most bytes of one request, unless a single stretch is longer. */
  most: number;
}

/** Cheaper to read over than to ask again: at 100 MB/s and 10 ms a request. */
export const DEFAULT_RANGES: RangePlanOptions = { gap: 512 * 1024, most: 16 * 1024 * 1024 };

/**
 * Joins what is wanted to few, large ranged requests: by pack in the order in which packs are first wanted, in each by
 * offset. Every stretch is in exactly one request; the stretches of one request are the same or do not touch, so that
 * its body can be cut in one pass (chunks of a pack never overlap: only a forged record has others). Pure.
 */
export function planRanges<T>(
  wanted: readonly Wanted<T>[],
  options: RangePlanOptions = DEFAULT_RANGES,
): RangeRequest<T>[] {
  const byPack = new Map<string, Wanted<T>[]>();
  for (const each of wanted) {
    const list = byPack.get(each.pack);
    if (list) list.push(each);
    else byPack.set(each.pack, [each]);
  }
  const requests: RangeRequest<T>[] = [];
  for (const [pack, parts] of byPack) {
    parts.sort((left, right) => left.offset - right.offset || left.length - right.length);
    let current: RangeRequest<T> | undefined;
    for (const part of parts) {
      if (current && joins(current, part, options)) {
        current.length = part.offset + part.length - current.start;
        current.parts.push(part);
      } else {
        current = { pack, start: part.offset, length: part.length, parts: [part] };
        requests.push(current);
      }
    }
  }
  return requests;
}

function joins<T>(request: RangeRequest<T>, part: Wanted<T>, options: RangePlanOptions): boolean {
  const last = request.parts[request.parts.length - 1] as Wanted<T>;
  if (part.offset === last.offset && part.length === last.length) return true;
  const gap = part.offset - (request.start + request.length);
  return gap >= 0 && gap <= options.gap && part.offset + part.length - request.start <= options.most;
}
