import { isMlvError, type MlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import { isRemoteFailure } from './one-remote.js';
import { type OpenTransfer, openTransfer, type TransferContext } from './open-transfer.js';
import { RemoteCheck, type RemoteFinding } from './remote-check.js';
import { remotesOf } from './remote-groups.js';
import type { Root } from './roots.js';

/** Something that is to be taken away here, because a remote has it. */
export interface ProofWanted extends Root {
  /** The remote that its pointer names. */
  remote?: string | undefined;
}

/** What remotes were found to have. */
export interface Proofs {
  /** Remote by object: everything that the object needs is there. */
  proven: Map<Oid, string>;
  /** What was not as it must be, on the remote that was asked last. */
  findings: (RemoteFinding & { remote: string })[];
  /** Of remotes that could not be used. */
  errors: MlvError[];
}

/**
 * Proves that remotes have some objects and all below them, as `mlv fsck --remote` does: every record is read from the
 * remote and checked, every pack asked for and its table of contents compared; with `deep` every byte is read. No journal
 * and no copy of this machine counts. For each object its remotes are asked one after the other, until one has it: the
 * `named` ones, or that of its pointer (or the default), what it mirrors, and its mirrors. Errors:
 * `REMOTE_NOT_CONFIGURED` for a named one.
 */
export async function proveOnRemotes(
  context: TransferContext,
  wanted: readonly ProofWanted[],
  { named = [], deep = false }: { named?: readonly string[]; deep?: boolean } = {},
): Promise<Proofs> {
  const proofs: Proofs = { proven: new Map(), findings: [], errors: [] };
  const opened = new Map<string, OpenTransfer | undefined>();
  try {
    for (const { remotes, roots } of groups(context, { wanted, named, proofs })) {
      let left = roots;
      for (const name of remotes) {
        if (left.length === 0) break;
        const open = await openOnce(context, name, { opened, proofs });
        if (open) left = await proveOn(open, left, { deep, proofs });
      }
    }
    return proofs;
  } finally {
    for (const open of opened.values()) await open?.close();
  }
}

/** What is to be asked of which remotes; what no remote is configured for stays unproven. */
function groups(
  { repository: { config } }: TransferContext,
  { wanted, named, proofs }: { wanted: readonly ProofWanted[]; named: readonly string[]; proofs: Proofs },
): Iterable<{ remotes: string[]; roots: ProofWanted[] }> {
  const found = new Map<string, { remotes: string[]; roots: ProofWanted[] }>();
  for (const root of wanted) {
    try {
      const remotes = remotesOf(root.remote, { config, named, use: 'first' });
      const key = remotes.join(' ');
      const group = found.get(key) ?? { remotes, roots: [] };
      group.roots.push(root);
      found.set(key, group);
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_CONFIGURED')) throw error;
      if (proofs.errors.length === 0) proofs.errors.push(error);
    }
  }
  return found.values();
}

async function openOnce(
  context: TransferContext,
  name: string,
  { opened, proofs }: { opened: Map<string, OpenTransfer | undefined>; proofs: Proofs },
): Promise<OpenTransfer | undefined> {
  if (!opened.has(name)) {
    try {
      opened.set(name, await openTransfer(context, name));
    } catch (error) {
      if (!isRemoteFailure(error) && !isMlvError(error, 'REMOTE_NOT_CONFIGURED')) throw error;
      proofs.errors.push(error);
      opened.set(name, undefined);
    }
  }
  return opened.get(name);
}

/** Gives what this remote does not have in full. */
async function proveOn(
  { name, transfer }: OpenTransfer,
  roots: ProofWanted[],
  { deep, proofs }: { deep: boolean; proofs: Proofs },
): Promise<ProofWanted[]> {
  const check = new RemoteCheck(transfer, { deep });
  try {
    const { findings } = await check.all(roots.map((root) => ({ ...root, predecessors: [] })));
    proofs.findings.push(...findings.map((finding) => ({ ...finding, remote: name })));
    // A remote that does not say whose it is proves nothing: a push would refuse it, too.
    if (findings.some(({ kind }) => kind === 'info-missing' || kind === 'info-damaged')) return roots;
  } catch (error) {
    if (!isRemoteFailure(error)) throw error;
    proofs.errors.push(error);
    return roots;
  }
  return roots.filter(({ oid }) => {
    if (!check.isIntact(oid)) return true;
    proofs.proven.set(oid, name);
    return false;
  });
}
