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

/** Stretches of packs, told by numbers from 0 on: whoever has hundreds of thousands makes no object of each. */
export interface Stretches {
  /** Hex digest of the pack. */
  pack(stretch: number): string;
  offset(stretch: number): number;
  length(stretch: number): number;
}

/** One ranged request, and the numbers of the stretches in it, in ascending order of offsets. */
export interface StretchRequest {
  pack: string;
  start: number;
  length: number;
  stretches: Uint32Array;
}

/**
 * Joins what is wanted to few, large ranged requests: by pack in the order in which packs are first wanted, in each by
 * offset. Every stretch is in exactly one request; the stretches of one request are the same or do not touch, so that
 * its body can be cut in one pass (chunks of a pack never overlap: only a forged record has others). Pure.
 */
export function planRanges<T>(
  wanted: readonly Wanted<T>[],
  options: RangePlanOptions = DEFAULT_RANGES,
): RangeRequest<T>[] {
  const at = (index: number): Wanted<T> => wanted[index] as Wanted<T>;
  const stretches: Stretches = {
    pack: (index) => at(index).pack,
    offset: (index) => at(index).offset,
    length: (index) => at(index).length,
  };
  const all = Uint32Array.from(wanted.keys());
  return planStretches(stretches, all, options).map(({ pack, start, length, stretches }) => {
    return { pack, start, length, parts: Array.from(stretches, at) };
  });
}

/** As planRanges, of the stretches with those numbers. Pure. */
export function planStretches(
  all: Stretches,
  wanted: Uint32Array,
  options: RangePlanOptions = DEFAULT_RANGES,
): StretchRequest[] {
  const requests: StretchRequest[] = [];
  for (const [pack, stretches] of byPack(all, wanted)) {
    sortByOffset(all, stretches);
    let first = 0;
    for (let index = 1; index <= stretches.length; index++) {
      const run = [stretches[first], stretches[index - 1], stretches[index]] as [number, number, number];
      if (index < stretches.length && joins(all, run, options)) continue;
      requests.push(requestOf(all, pack, stretches.subarray(first, index)));
      first = index;
    }
  }
  return requests;
}

function byPack(all: Stretches, wanted: Uint32Array): Map<string, Uint32Array> {
  const counts = new Map<string, number>();
  for (const stretch of wanted) {
    const pack = all.pack(stretch);
    counts.set(pack, (counts.get(pack) ?? 0) + 1);
  }
  const packs = new Map<string, Uint32Array>();
  const sorted = new Uint32Array(wanted.length);
  let begin = 0;
  for (const [pack, count] of counts) {
    packs.set(pack, sorted.subarray(begin, begin + count));
    begin += count;
    counts.set(pack, 0);
  }
  for (const stretch of wanted) {
    const pack = all.pack(stretch);
    const count = counts.get(pack) as number;
    (packs.get(pack) as Uint32Array)[count] = stretch;
    counts.set(pack, count + 1);
  }
  return packs;
}

function sortByOffset(all: Stretches, stretches: Uint32Array): void {
  const compare = (left: number, right: number): number =>
    all.offset(left) - all.offset(right) || all.length(left) - all.length(right);
  // Mostly they come in the order in which they were packed.
  const isSorted = stretches.every((each, index) => index === 0 || compare(stretches[index - 1] as number, each) <= 0);
  if (!isSorted) stretches.sort(compare);
}

/** True when a stretch can be in the request that goes from the first to the last. */
function joins(
  all: Stretches,
  [first, last, added]: readonly [number, number, number],
  options: RangePlanOptions,
): boolean {
  const offset = all.offset(added);
  const length = all.length(added);
  if (offset === all.offset(last) && length === all.length(last)) return true;
  const gap = offset - (all.offset(last) + all.length(last));
  return gap >= 0 && gap <= options.gap && offset + length - all.offset(first) <= options.most;
}

function requestOf(all: Stretches, pack: string, stretches: Uint32Array): StretchRequest {
  const [first, last] = [stretches.at(0), stretches.at(-1)] as [number, number];
  const start = all.offset(first);
  return { pack, start, length: all.offset(last) + all.length(last) - start, stretches };
}
