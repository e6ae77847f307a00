import type { MlvError } from '../core/errors.js';
import { type CollectedRoots, collectTargets, type RootScope } from '../transfer/collect-roots.js';
import type { FailedObject } from '../transfer/roots.js';
import type { Selection } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { defaultRemote, type OpenTransfer, openTransfer } from './open-transfer.js';
import { toPaths, withPathHints } from './operands.js';
import { formatBytes, formatCount, formatSeconds } from './render/units.js';
import type { Session } from './session.js';
import type { VerbInput } from './verb.js';

/** What went to or came from one remote. */
export interface Transferred {
  remote: string;
  url: string;
  /** Targets of which nothing had to travel. */
  upToDate: number;
  objects: number;
  packs: number;
  /** Bytes of the objects as stored (push) or restored (fetch). */
  bytes: number;
  requests: number;
  /** Bytes over the wire, everything included. */
  bytesUp: number;
  bytesDown: number;
  seconds: number;
  failed: FailedObject[];
}

/** What push and fetch say of their own work. */
export type Moved = Pick<Transferred, 'upToDate' | 'objects' | 'packs' | 'bytes' | 'failed'>;

/** The targets that the operands and options of a transfer name. Errors as collectTargets. */
export function collect(repository: OpenRepository, { args, options }: VerbInput): Promise<CollectedRoots> {
  const scope: RootScope = {
    paths: toPaths(repository, args),
    revisions: Array.isArray(options.rev) ? options.rev : [],
    allBranches: options.allBranches === true,
    allTags: options.allTags === true,
  };
  const revision = (word: string): string => `a revision is given as an option: --rev ${word}`;
  return withPathHints(repository, { remote: true, revision }, () => collectTargets(repository, scope));
}

/** What is done with one remote. */
export type RemoteWork<T> = (open: OpenTransfer, selections: Selection[]) => Promise<T>;

/** Selections to work on, and the remote that the user chose for all of them. */
export interface RemoteScope {
  selections: readonly Selection[];
  remote: string | undefined;
}

/**
 * Does some work remote by remote: with the one that was chosen, otherwise for each target with the one that its pointer
 * names, or the default. Errors: `REMOTE_NOT_CONFIGURED`, those of the work.
 */
export async function eachRemote<T>(
  session: Session,
  repository: OpenRepository,
  { selections, remote, work }: RemoteScope & { work: RemoteWork<T> },
): Promise<T[]> {
  const groups = new Map<string, Selection[]>();
  for (const selection of selections) {
    const name = remote ?? selection.target.pointer.remote ?? defaultRemote(repository);
    groups.set(name, [...(groups.get(name) ?? []), selection]);
  }
  const done: T[] = [];
  for (const [name, mine] of groups) {
    const open = await openTransfer(session, repository, name);
    try {
      done.push(await work(open, mine));
    } finally {
      await open.close();
    }
  }
  return done;
}

/** As eachRemote, for transfers: with what travelled, and how long it took. */
export function withRemotes(
  session: Session,
  repository: OpenRepository,
  { work, ...scope }: RemoteScope & { work: RemoteWork<Moved> },
): Promise<Transferred[]> {
  return eachRemote(session, repository, {
    ...scope,
    work: async (open, selections) => {
      const started = performance.now();
      const { upToDate, objects, packs, bytes, failed } = await work(open, selections);
      const seconds = Math.round(performance.now() - started) / 1000;
      const { url } = open.transfer.remote;
      return { remote: open.name, url, upToDate, objects, packs, bytes, ...open.traffic(), seconds, failed };
    },
  });
}

/** What travelled with one remote, on one line. */
export function transferredLine(each: Transferred, words: { verb: string; direction: 'to' | 'from' }): string {
  const { objects, packs, bytes, requests, seconds, upToDate } = each;
  const place = `${each.remote} (${each.url})`;
  const cost = `${formatCount(requests, 'request')}, ${formatSeconds(seconds)}`;
  if (objects === 0 && packs === 0) {
    const what = each.failed.length > 0 ? `nothing ${words.verb}` : `up to date: ${formatCount(upToDate, 'target')}`;
    return `${what}, ${words.direction === 'to' ? 'on' : 'from'} ${place} (${cost})`;
  }
  const packed = packs > 0 ? `${formatCount(packs, 'pack')}, ` : '';
  return `${words.verb} ${formatCount(objects, 'object')}, ${packed}${formatBytes(bytes)} ${words.direction} ${place} (${cost})`;
}

/** All remotes together, for `--json`. */
export function transferDocument(
  transferred: readonly Transferred[],
  extra: { dryRun: boolean; problems: readonly MlvError[] },
): Record<string, unknown> {
  const keys = ['upToDate', 'objects', 'packs', 'bytes', 'requests', 'bytesUp', 'bytesDown', 'seconds'] as const;
  const sums = keys.map((key) => [key, transferred.reduce((sum, each) => sum + each[key], 0)]);
  return {
    dryRun: extra.dryRun,
    ...Object.fromEntries(sums),
    failed: transferred.flatMap(({ failed }) => failed),
    remotes: transferred,
    problems: extra.problems.map(({ code, message, hint, data }) => ({
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      data,
    })),
  };
}
