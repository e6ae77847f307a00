import { MlvError } from '../core/errors.js';
import { type FetchOptions, type FetchReport, FetchRun } from './fetch-run.js';
import { isRemoteFailure } from './one-remote.js';
import type { FailedObject, FetchRoot } from './roots.js';
import type { TransferSession } from './session.js';

export type { FetchOptions, FetchReport } from './fetch-run.js';

/**
 * Brings objects that the cache lacks from a remote: what is there comes, what is not is listed. Every chunk is
 * checked when it arrives and every object against its oid before it gets its name. Errors: those of Remote that
 * concern the whole remote (`REMOTE_DENIED`, ...), `REMOTE_MISMATCH` when nothing came because the remote is another
 * one, `PATH_NOT_FOUND`, `DISK_FULL`, `FILE_SYSTEM`, `INTERRUPTED`.
 */
export async function fetchObjects(
  session: TransferSession,
  roots: readonly FetchRoot[],
  options: FetchOptions = {},
): Promise<FetchReport> {
  const { error, ...report } = await fetchWhatComes(session, roots, options);
  if (error) throw error;
  return report;
}

/**
 * As fetchObjects, but a remote that cannot be used, or not to the end, is part of the result: what came before is kept,
 * and the rest may be had from another remote.
 */
export async function fetchWhatComes(
  session: TransferSession,
  roots: readonly FetchRoot[],
  options: FetchOptions = {},
): Promise<FetchReport & { error?: MlvError }> {
  let { report, outdated, error } = await attempt(session, roots, options);
  // Copies of records kept on this machine may be older than a repair of the remote: those were dropped, and asked anew.
  if (outdated > 0 && !error) {
    const { objects, packs, bytes } = report;
    ({ report, outdated, error } = await attempt(session, roots, options));
    report.objects += objects;
    report.packs += packs;
    report.bytes += bytes;
  }
  // Where nothing is to be had, the reason may be that this is no remote, or one of something else.
  if (!error && report.failed.length > 0 && report.objects === 0) error = await checkInfo(session);
  return { ...report, ...(error && { error }) };
}

async function attempt(
  session: TransferSession,
  roots: readonly FetchRoot[],
  options: FetchOptions,
): Promise<{ report: FetchReport; outdated: number; error?: MlvError }> {
  const run = new FetchRun(session, options);
  try {
    await run.all(roots);
    return { report: run.report, outdated: run.outdated };
  } catch (error) {
    if (!isRemoteFailure(error)) throw error;
    await run.keep();
    return { report: run.report, outdated: 0, error };
  } finally {
    run.end();
  }
}

async function checkInfo(session: TransferSession): Promise<MlvError | undefined> {
  try {
    await session.readInfo();
    return undefined;
  } catch (error) {
    if (isRemoteFailure(error)) return error;
    throw error;
  }
}

/** The error for objects that a transfer could not bring or send. Exit code 4 for missing ones, 5 for damaged ones. */
export function failedObjectsError(failed: readonly FailedObject[], ...remotes: readonly string[]): MlvError {
  const first = failed[0] as FailedObject;
  const more = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
  const damaged = failed.some((each) => each.reason === 'corrupt');
  const named = `${remotes.length > 1 ? 'remotes' : 'remote'} ${remotes.map((name) => `'${name}'`).join(', ')}`;
  return new MlvError(
    damaged ? 'OBJECT_CORRUPT' : 'OBJECT_MISSING',
    `'${first.path}'${more} could not be transferred with ${named}: ${first.message}`,
    {
      hint: damaged
        ? 'mlv fsck --remote tells what is damaged; --repair mends what this cache holds'
        : 'push it from a machine that has it: mlv push   (mlv push --all-commits where it is of an older commit)',
      data: { failed: failed.slice(0, 1000) },
    },
  );
}
