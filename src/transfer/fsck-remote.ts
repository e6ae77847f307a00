import { type PushReport, push } from './push.js';
import { RemoteCheck, type RemoteChecked, type RemoteFsckOptions } from './remote-check.js';
import type { PushRoot } from './roots.js';
import type { TransferSession } from './session.js';

export type { RemoteFinding, RemoteFsckOptions } from './remote-check.js';

export interface RemoteFsckReport extends RemoteChecked {
  /** What the repair did, and what is still wrong after it. */
  repaired: PushReport | undefined;
}

/**
 * Proves that everything roots need is on the remote: every record is read from it and checked, every pack is asked
 * for and its table of contents compared with what the records say; with `deep` every byte. Errors: those of Remote,
 * `REMOTE_MISMATCH` for a remote of another repository or algorithm.
 */
export async function fsckRemote(
  session: TransferSession,
  roots: readonly PushRoot[],
  options: RemoteFsckOptions = {},
): Promise<RemoteFsckReport> {
  const check = new RemoteCheck(session, options);
  const report: RemoteFsckReport = { ...(await check.all(roots)), repaired: undefined };
  if (!options.repair || report.findings.length === 0) return report;
  await (report.findings.some(({ kind }) => kind === 'info-damaged') ? session.renewInfo() : session.ensureInfo());
  const damaged = roots.filter((root) => !check.isIntact(root.oid));
  report.repaired = await push(session, damaged, { repair: check.repairView() });
  return report;
}
