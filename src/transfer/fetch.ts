import { MlvError } from '../core/errors.js';
import { type FetchOptions, type FetchReport, FetchRun } from './fetch-run.js';
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
  let { report, outdated } = await attempt(session, roots, options);
  // Copies of records kept on this machine may be older than a repair of the remote: those were dropped, and asked anew.
  if (outdated > 0) {
    const { objects, packs, bytes } = report;
    ({ report, outdated } = await attempt(session, roots, options));
    report.objects += objects;
    report.packs += packs;
    report.bytes += bytes;
  }
  // Where nothing is to be had, the reason may be that this is no remote, or one of something else.
  if (report.failed.length > 0 && report.objects === 0) await session.readInfo();
  return report;
}

async function attempt(
  session: TransferSession,
  roots: readonly FetchRoot[],
  options: FetchOptions,
): Promise<{ report: FetchReport; outdated: number }> {
  const run = new FetchRun(session, options);
  try {
    await run.all(roots);
    return { report: run.report, outdated: run.outdated };
  } finally {
    run.end();
  }
}

/** The error for objects that a transfer could not bring or send. Exit code 4 for missing ones, 5 for damaged ones. */
export function failedObjectsError(failed: readonly FailedObject[], remote: string): MlvError {
  const first = failed[0] as FailedObject;
  const more = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
  const damaged = failed.some((each) => each.reason === 'corrupt');
  return new MlvError(
    damaged ? 'OBJECT_CORRUPT' : 'OBJECT_MISSING',
    `'${first.path}'${more} could not be transferred with remote '${remote}': ${first.message}`,
    {
      hint: damaged
        ? 'mlv fsck --remote tells what is damaged; --repair mends what this cache holds'
        : 'push it from a machine that has it: mlv push',
      data: { failed: failed.slice(0, 1000) },
    },
  );
}
