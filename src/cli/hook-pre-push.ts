import { MlvError } from '../core/errors.js';
import type { HookFact } from '../git/hook-gate.js';
import { pushToRemotes } from '../transfer/push-remotes.js';
import { isPointerPath, parseTarget, type Selection } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { transferContext } from './open-transfer.js';
import type { Session } from './session.js';
import { transferredLine } from './transfers.js';
import type { Result } from './verb.js';

/**
 * Before Git pushes: sends the objects of the pointers that the pushed commits and tags bring, and of no others. Errors:
 * those of push; Git then pushes nothing.
 */
export async function pushFacts(
  session: Session,
  repository: OpenRepository,
  facts: readonly HookFact[],
): Promise<Result> {
  const collected = { ...(await pushedSelections(repository, facts)), revisions: [] };
  const { selections, problems } = collected;
  if (selections.length === 0) return { errors: problems };
  const options = { named: [], dryRun: false };
  const { transferred, errors } = await pushToRemotes(transferContext(session, repository), collected, options);
  const words = { verb: 'pushed', direction: 'to' } as const;
  return {
    notes: transferred.map((each) => `mlv: ${transferredLine(each, words)}`),
    errors: [...problems, ...errors],
  };
}

/** Each object once, however many of the commits name it. */
async function pushedSelections(
  repository: OpenRepository,
  facts: readonly HookFact[],
): Promise<{ selections: Selection[]; problems: MlvError[] }> {
  const pointers = facts.filter(({ kind, path }) => kind === 'pointer' && isPointerPath(path));
  const blobs = await repository.git.readBlobs([...new Set(pointers.map(({ blob }) => blob))]);
  const selections = new Map<string, Selection>();
  const problems: MlvError[] = [];
  for (const { path, blob } of pointers) {
    try {
      const target = parseTarget(path, (blobs.get(blob) ?? Buffer.alloc(0)).toString('utf8'));
      selections.set(`${target.path}\0${target.pointer.oid}`, { target, below: '' });
    } catch (error) {
      if (!(error instanceof MlvError)) throw error;
      problems.push(error);
    }
  }
  return { selections: [...selections.values()], problems };
}
