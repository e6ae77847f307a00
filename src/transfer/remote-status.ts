import pLimit from 'p-limit';
import type { Root } from './roots.js';
import type { TransferSession } from './session.js';

/** Which roots the remote lacks: one request a root. Errors: those of Remote. */
export async function missingFromRemote<T extends Root>(session: TransferSession, roots: readonly T[]): Promise<T[]> {
  const limit = pLimit(session.options.jobs);
  const present = await Promise.all(roots.map((root) => limit(() => session.records.isOnRemote(root.oid))));
  return roots.filter((_, index) => !present[index]);
}
