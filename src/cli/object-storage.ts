import type { ObjectStorage } from '../registry/register.js';
import { toFetchRoots } from '../transfer/collect-roots.js';
import { eachRemote } from '../transfer/each-remote.js';
import { pushToRemotes } from '../transfer/push-remotes.js';
import { missingFromRemote } from '../transfer/remote-status.js';
import { nameOf } from '../workspace/paths.js';
import type { Selection, Target } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { transferContext } from './open-transfer.js';
import type { Session } from './session.js';

/** The remotes of a repository, as a registration asks and fills them: for each target the one that its pointer names. */
export function objectStorage(session: Session, repository: OpenRepository): ObjectStorage {
  const context = transferContext(session, repository);
  const send = async (targets: readonly Target[]): Promise<void> => {
    const collected = { selections: targets.map(whole), revisions: [] };
    const { errors } = await pushToRemotes(context, collected, { named: [], dryRun: false });
    if (errors[0]) throw errors[0];
  };
  return {
    missing: async (targets) => {
      if (repository.config.remotes.size === 0) return undefined;
      const { done, errors } = await eachRemote(context, {
        selections: targets.map(whole),
        named: [],
        work: async ({ transfer }, selections) => {
          const missing = new Set(
            (await missingFromRemote(transfer, toFetchRoots(selections))).map(({ path }) => path),
          );
          return selections.map(({ target }) => target.path).filter((path) => !missing.has(path));
        },
      });
      const present = new Set(done.flat());
      const missing = targets.map(({ path }) => path).filter((path) => !present.has(path));
      if (missing.length > 0 && errors[0]) throw errors[0];
      return missing;
    },
    push: send,
    pushObject: ({ oid, size, path }) => send([{ path, pointer: { path: nameOf(path), oid, size }, text: '' }]),
  };
}

function whole(target: Target): Selection {
  return { target, below: '' };
}
