/** A request that ended, as the choice of how many to make at once sees it. Times are milliseconds of one clock. */
export interface FinishedRequest {
  began: number;
  ended: number;
  /** Bytes of its body that travelled. */
  bytes: number;
  /** True when the server asked for less, or did not answer in time. */
  overload: boolean;
  /** True when others were waiting for a place as it ended. */
  waiting: boolean;
}

/** How many requests are made at once, and what that follows from. */
export interface Level {
  /** Requests at once. */
  readonly level: number;
  /** No growth beyond this, since the server refused more; moves up by one after a long calm. */
  readonly ceiling: number;
  /** When the level was last reduced: requests that began before say nothing new. */
  readonly reducedAt: number;
  /** Doubled by each step until the first step too far, by a quarter from then on. */
  readonly fast: boolean;
  /** The level before the last step up, while it is not known whether that was worth it. */
  readonly grownFrom: number | undefined;
  /** Windows to wait before the next step. */
  readonly hold: number;
  /** Windows that a step too far costs, doubled by each. */
  readonly patience: number;
  /** What the last full window measured. */
  readonly measured: Throughput | undefined;
  readonly window: Window;
}

interface Throughput {
  /** Work in a millisecond. */
  rate: number;
  /** True where requests carried enough bytes for these to decide. */
  large: boolean;
}

interface Window {
  since: number;
  finished: number;
  /** Of those, how many left others waiting. */
  waiting: number;
  bytes: number;
}

/** A window is at least so long, and as many requests as are made at once, twice: less is chance. */
const WINDOW_MS = 100;
/** What a request is worth beside its bytes: small ones are counted, large ones measured. */
const REQUEST_BYTES = 64 * 1024;
const LARGE_BYTES = 256 * 1024;
/** A step up stays when throughput grows by at least this part of the step. */
const WORTH = 0.2;
const LEAST_PATIENCE = 4;
const MOST_PATIENCE = 64;

/** What to begin with. `start` requests at once, `most` at any time; both at least 1. */
export function firstLevel(options: { start: number; most: number }): Level {
  return {
    level: Math.min(options.start, options.most),
    ceiling: options.most,
    reducedAt: Number.NEGATIVE_INFINITY,
    fast: true,
    grownFrom: undefined,
    hold: 0,
    patience: LEAST_PATIENCE,
    measured: undefined,
    window: emptyWindow(Number.NEGATIVE_INFINITY),
  };
}

/**
 * The level after a request ended: it grows while throughput grows with it and there is more to do, goes back after a
 * step that brought nothing, and is halved, once for all requests that were under way, when the server is overloaded.
 * Always from 1 to `most`. Pure.
 */
export function nextLevel(before: Level, request: FinishedRequest, most: number): Level {
  if (request.overload) return request.began < before.reducedAt ? before : reduced(before, request.ended);
  const window = add(before.window, request);
  const short = window.finished < 2 * before.level || request.ended - window.since < WINDOW_MS;
  if (short) return { ...before, window };
  const level = { ...before, window: emptyWindow(request.ended) };
  // Fewer places were asked for than there are: nothing can be learnt of more.
  if (window.waiting * 2 < window.finished) return { ...level, grownFrom: undefined, measured: undefined };
  return judged(level, throughput(window, request.ended), most);
}

function judged(level: Level, measured: Throughput, most: number): Level {
  const { grownFrom, measured: last, hold, patience } = level;
  const comparable = last?.large === measured.large ? last : undefined;
  if (grownFrom !== undefined && comparable) {
    const step = (level.level - grownFrom) / grownFrom;
    if (measured.rate < comparable.rate * (1 + WORTH * step)) {
      const lessOften = Math.min(2 * patience, MOST_PATIENCE);
      return { ...level, level: grownFrom, grownFrom: undefined, fast: false, hold: patience, patience: lessOften };
    }
  }
  if (hold > 0) return { ...level, hold: hold - 1, grownFrom: undefined, measured };
  return { ...grown(level, most), measured };
}

function grown(level: Level, most: number): Level {
  const wanted = level.fast ? 2 * level.level : level.level + Math.max(1, Math.floor(level.level / 4));
  if (level.level < level.ceiling) {
    return { ...level, level: Math.min(wanted, level.ceiling), grownFrom: level.level };
  }
  if (level.ceiling >= most) return { ...level, grownFrom: undefined };
  // A long calm at the ceiling: the next step tries whether it is still there.
  return { ...level, ceiling: level.ceiling + 1, hold: level.patience, grownFrom: undefined };
}

function reduced(before: Level, now: number): Level {
  return {
    level: Math.max(1, Math.floor(before.level / 2)),
    ceiling: Math.max(1, before.level - 1),
    reducedAt: now,
    fast: false,
    grownFrom: undefined,
    hold: 1,
    patience: Math.min(2 * before.patience, MOST_PATIENCE),
    measured: undefined,
    window: emptyWindow(now),
  };
}

function throughput({ since, finished, bytes }: Window, now: number): Throughput {
  return { rate: (bytes + finished * REQUEST_BYTES) / (now - since), large: bytes / finished > LARGE_BYTES };
}

function emptyWindow(since: number): Window {
  return { since, finished: 0, waiting: 0, bytes: 0 };
}

function add(window: Window, { began, bytes, waiting }: FinishedRequest): Window {
  return {
    // The first one of all opens the first window.
    since: window.since === Number.NEGATIVE_INFINITY ? began : window.since,
    finished: window.finished + 1,
    waiting: window.waiting + (waiting ? 1 : 0),
    bytes: window.bytes + bytes,
  };
}
