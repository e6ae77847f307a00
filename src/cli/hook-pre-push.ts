import { MlvError } from '../core/errors.js';
import type { HookFact } from '../git/hook-gate.js';
import { toPushRoots } from '../transfer/collect-roots.js';
import { failedObjectsError } from '../transfer/fetch.js';
import { push } from '../transfer/push.js';
import { isPointerPath, parseTarget, type Selection } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import type { Session } from './session.js';
import { transferredLine, withRemotes } from './transfers.js';
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
  const { selections, problems } = await pushedSelections(repository, facts);
  if (selections.length === 0) return { errors: problems };
  const transferred = await withRemotes(session, repository, {
    selections,
    remote: undefined,
    work: async ({ transfer }, mine) =>
      push(transfer, await toPushRoots(repository, { selections: mine, problems: [], revisions: [] }), {}),
  });
  const failures = transferred.filter(({ failed }) => failed.length > 0);
  return {
    notes: transferred.map((each) => `mlv: ${transferredLine(each, { verb: 'pushed', direction: 'to' })}`),
    errors: [...problems, ...failures.map(({ failed, remote }) => failedObjectsError(failed, remote))],
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
