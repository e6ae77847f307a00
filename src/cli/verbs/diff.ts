import { EXIT, MlvError } from '../../core/errors.js';
import { type ComparedState, compareStates } from '../../workspace/compare.js';
import { type OpenRepository, openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { displayer, splitOperands } from '../operands.js';
import { changeLine, totalsLine } from '../render/changes.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv diff`: see its declaration. Errors: `USAGE`, those of splitOperands and compareStates. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const { revisions, paths } = await splitOperands(repository, input, 2);
  const [before, after] = await sides(repository, revisions, input.options.staged === true);
  const { changes, totals, problems } = await compareStates(repository, before, after, {
    paths,
    reporter: session.reporter,
  });
  const rendering = { style: session.style, show: displayer(repository) };
  const list = input.options.stat === true ? [] : changes.map((change) => changeLine(change, rendering));
  return {
    text: changes.length === 0 && input.options.stat !== true ? [] : [...list, totalsLine(totals)],
    json: { before, after, changes, totals, problems: problems.map(errorDocument) },
    errors: problems,
    exitCode: input.options.exitCode === true && changes.length > 0 ? EXIT.differences : EXIT.done,
  };
}

async function sides(
  repository: OpenRepository,
  revisions: readonly string[],
  staged: boolean,
): Promise<[ComparedState, ComparedState]> {
  const [first, second] = revisions.map((revision): ComparedState => ({ kind: 'revision', revision }));
  if (staged && second) {
    throw new MlvError('USAGE', '--staged compares with the index: it takes one revision at most', {
      hint: 'leave --staged or the second revision out',
    });
  }
  if (staged) return [first ?? (await headState(repository)), { kind: 'index' }];
  return [first ?? { kind: 'index' }, second ?? { kind: 'workspace' }];
}

async function headState(repository: OpenRepository): Promise<ComparedState> {
  const head = await repository.git.head();
  return head === undefined ? { kind: 'empty' } : { kind: 'revision', revision: 'HEAD' };
}
