import { observeBody } from './body.js';
import { firstLevel, type Level, nextLevel } from './level.js';
import { isOverload } from './overload.js';
import type { Carrier, GetOptions, ListOptions, Remote, RemoteContent, RemoteEntry } from './remote.js';
import { getByBelow, wrap } from './wrap.js';

/** Requests at once to begin with: enough to measure by, too few to be refused. */
const START = 6;
const DEFAULT_BYTES = 256 * 1024 * 1024;

export interface LimitOptions {
  /** Requests at once, never more. */
  most: number;
  /** Requests at once to begin with; 6 by default, `most` where that is less. */
  start?: number;
  /** Bytes of bodies under way at once, unless a single one has more; 256 MiB by default. */
  bytes?: number;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
  /** Told of each change of the level. */
  onLevel?: (level: number) => void;
}

/**
 * The same remote with a limit on the requests under way at once, over all methods. How many that are follows from what
 * the remote makes of them: see nextLevel. A get counts until its body is read, broken, given back or aborted, so a
 * caller that opens several bodies before it reads the first one may wait for ever. A list counts only while it waits
 * for entries. Put the limit below retry: a request that waits for its next try makes room for others.
 */
export function withLimit(remote: Remote, options: LimitOptions): Remote {
  const gate = new Gate(options);
  return wrap(remote, {
    stat: (key, call) => gate.pass(0, () => remote.stat(key, call)),
    put: (key, body, call) => gate.pass(body.size, () => remote.put(key, body, call)),
    delete: (keys, call) => gate.pass(0, () => remote.delete(keys, call)),
    get: (key, call) => limitedGet(gate, (given) => remote.get(key, given), call),
    getBy: (carrier, key, call) => limitedGetBy(gate, remote, carrier, { key, call }),
    list: (prefix, call) => limitedList(gate, remote, { prefix, call }),
  });
}

/** A request that is under way. */
interface Pass {
  began: number;
  /** Bytes that it holds of the budget. */
  held: number;
}

/** Lets requests through in the order in which they came, as many at once as the level and the budget allow. */
class Gate {
  private level: Level;
  private under = 0;
  private bytes = 0;
  private readonly waiting: { bytes: number; enter: () => void }[] = [];

  constructor(private readonly options: LimitOptions) {
    this.level = firstLevel({ start: options.start ?? START, most: options.most });
  }

  /** Waits for a place for a request with a body of so many bytes. */
  async enter(bytes: number): Promise<Pass> {
    if (this.waiting.length > 0 || !this.hasRoom(bytes)) {
      await new Promise<void>((enter) => this.waiting.push({ bytes, enter }));
    } else this.take(bytes);
    return { began: this.now(), held: bytes };
  }

  /** Takes more of the budget, without a wait: for a body whose size was not known before. */
  hold(pass: Pass, bytes: number): void {
    pass.held += bytes;
    this.bytes += bytes;
  }

  /** Frees the place of a request; `outcome` is how many bytes of it travelled, or what it failed with. */
  leave(pass: Pass, outcome: { bytes: number; error?: unknown } | undefined): void {
    this.under--;
    this.bytes -= pass.held;
    const overload = isOverload(outcome?.error);
    // Any other failure says nothing of how much the remote can take.
    if (outcome && (outcome.error === undefined || overload)) {
      const [began, ended, waiting] = [pass.began, this.now(), this.waiting.length > 0];
      const request = { began, ended, bytes: outcome.bytes, overload, waiting };
      this.change(nextLevel(this.level, request, this.options.most));
    }
    this.admit();
  }

  /** Does one request with a body of so many bytes; with `step`, a part of one, which says nothing of throughput. */
  async pass<T>(bytes: number, request: () => Promise<T>, step = false): Promise<T> {
    const pass = await this.enter(bytes);
    try {
      const result = await request();
      this.leave(pass, step ? undefined : { bytes });
      return result;
    } catch (error) {
      this.leave(pass, { bytes: 0, error });
      throw error;
    }
  }

  private admit(): void {
    for (let next = this.waiting[0]; next && this.hasRoom(next.bytes); next = this.waiting[0]) {
      this.waiting.shift();
      this.take(next.bytes);
      next.enter();
    }
  }

  private hasRoom(bytes: number): boolean {
    if (this.under === 0) return true;
    return this.under < this.level.level && this.bytes + bytes <= (this.options.bytes ?? DEFAULT_BYTES);
  }

  private take(bytes: number): void {
    this.under++;
    this.bytes += bytes;
  }

  private change(next: Level): void {
    const changed = next.level !== this.level.level;
    this.level = next;
    if (changed) this.options.onLevel?.(next.level);
  }

  private now(): number {
    return this.options.now?.() ?? performance.now();
  }
}

async function limitedGet(
  gate: Gate,
  get: (call?: GetOptions) => Promise<RemoteContent>,
  call?: GetOptions,
): Promise<RemoteContent> {
  const pass = await gate.enter(call?.range?.length ?? 0);
  let content: RemoteContent;
  try {
    content = await get(call);
  } catch (error) {
    gate.leave(pass, { bytes: 0, error });
    throw error;
  }
  gate.hold(pass, content.size - pass.held);
  let travelled = 0;
  let left = false;
  const end = (error?: unknown): void => {
    if (left) return;
    left = true;
    call?.signal?.removeEventListener('abort', abort);
    gate.leave(pass, { bytes: travelled, error });
  };
  const abort = (): void => end(call?.signal?.reason);
  // An aborted body may never be touched again.
  call?.signal?.addEventListener('abort', abort);
  if (call?.signal?.aborted) abort();
  const bytes = (count: number): void => {
    travelled += count;
  };
  return { size: content.size, body: observeBody(content.body, { bytes, end }) };
}

/** What came to nothing says nothing of how much the remote can take: the get that follows does. */
async function limitedGetBy(
  gate: Gate,
  remote: Remote,
  carrier: Carrier,
  { key, call }: { key: string; call: Parameters<NonNullable<Remote['getBy']>>[2] },
): Promise<boolean> {
  const pass = await gate.enter(call.range.length);
  let whole = false;
  let travelled = 0;
  const onBytes = (bytes: number): void => {
    travelled += bytes;
  };
  try {
    whole = await getByBelow(remote, { carrier, onBytes }, key, call);
    return whole;
  } finally {
    gate.leave(pass, whole ? { bytes: travelled } : undefined);
  }
}

async function* limitedList(
  gate: Gate,
  remote: Remote,
  { prefix, call }: { prefix: string; call: ListOptions | undefined },
): AsyncGenerator<RemoteEntry> {
  const iterator = remote.list(prefix, call)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await gate.pass(0, () => iterator.next(), true);
      if (result.done) return;
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}
