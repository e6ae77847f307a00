import type { MlvError } from '../core/errors.js';
import type { OpenRepository } from './context.js';
import { transferContext } from './open-transfer.js';
import { toPaths } from './operands.js';
import type { Session } from './session.js';
import { textsOption, type VerbInput } from './verb.js';

/** Which targets a remote lacks. */
export interface RemoteComparison {
  remote: string;
  url: string;
  /** Targets that were asked for. */
  targets: number;
  /** Paths of those that the remote does not have completely. */
  missing: string[];
}

/**
 * Asks the remotes for the targets that the operands name: one request a target. Where there are several remotes, the
 * errors of those that did not answer. Errors: those of eachRemote.
 */
export async function compareWithRemotes(
  session: Session,
  repository: OpenRepository,
  { args, options }: Pick<VerbInput, 'args' | 'options'>,
): Promise<{ done: RemoteComparison[]; errors: MlvError[] }> {
  // Here, because a status without a remote does without all of it.
  const { collectTargets, toFetchRoots } = await import('../transfer/collect-roots.js');
  const { missingFromRemote } = await import('../transfer/remote-status.js');
  const { eachRemote } = await import('../transfer/each-remote.js');
  const { selections } = await collectTargets(repository, { paths: toPaths(repository, args) });
  return eachRemote(transferContext(session, repository), {
    selections,
    named: textsOption(options.remote),
    work: async ({ name, transfer }, mine) => {
      const missing = await missingFromRemote(transfer, toFetchRoots(mine));
      const paths = [...new Set(missing.map(({ path }) => path))].sort();
      return { remote: name, url: transfer.remote.url, targets: mine.length, missing: paths };
    },
  });
}
