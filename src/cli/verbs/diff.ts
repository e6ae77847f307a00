import { EXIT, isMlvError, MlvError } from '../../core/errors.js';
import { type ComparedState, type ComparisonResult, compareStates } from '../../workspace/compare.js';
import { loadTargets, loadTargetsAt, selectTargets } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { getListings } from '../listings.js';
import { displayer, splitOperands } from '../operands.js';
import { changeLine, totalsLine } from '../render/changes.js';
import { findingLines } from '../render/drift.js';
import type { SchemaDifference } from '../schema-difference.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv diff`: see its declaration. Errors: `USAGE`, those of splitOperands, compareStates and schemaDifference. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const { revisions, paths } = await splitOperands(repository, input, { session, limit: 2 });
  const [before, after] = await sides(repository, revisions, input.options.staged === true);
  const schema = await schemaOf(session, repository, { input, paths, before, after });
  const compare = (): Promise<ComparisonResult> =>
    compareStates(repository, before, after, { paths, reporter: session.reporter });
  const { changes, totals, problems } = await compare().catch(async (error: unknown) => {
    if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
    for (const state of [before, after]) await listingsOf(session, repository, state);
    return compare();
  });
  const json = { before, after, changes, totals, problems: problems.map(errorDocument), ...(schema && { schema }) };
  const exitCode = (isOther: boolean): number =>
    input.options.exitCode === true && isOther ? EXIT.differences : EXIT.done;
  if (schema) {
    return { text: findingLines(schema.findings), json, errors: problems, exitCode: exitCode(schema.drift) };
  }
  const rendering = { style: session.style, show: displayer(repository) };
  const list = input.options.stat === true ? [] : changes.map((change) => changeLine(change, rendering));
  return {
    text: changes.length === 0 && input.options.stat !== true ? [] : [...list, totalsLine(totals)],
    json,
    errors: problems,
    exitCode: exitCode(changes.length > 0),
  };
}

/** How a table is other, where that is asked. */
async function schemaOf(
  session: Session,
  repository: OpenRepository,
  {
    input,
    paths,
    ...states
  }: { input: VerbInput; paths: readonly string[]; before: ComparedState; after: ComparedState },
): Promise<SchemaDifference | undefined> {
  if (input.options.schema !== true) return undefined;
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    throw new MlvError('USAGE', '--schema compares one file', {
      hint: 'such as: mlv diff --schema HEAD~1 data/train.csv',
    });
  }
  const { profileOptions, driftLimits } = await import('../profile-options.js');
  const { schemaDifference } = await import('../schema-difference.js');
  const question = { path, ...states, options: profileOptions(session, input), limits: driftLimits(input) };
  return schemaDifference(session, repository, question);
}

/** Gets the listings of everything that a state of Git names. */
async function listingsOf(session: Session, repository: OpenRepository, state: ComparedState): Promise<void> {
  if (state.kind === 'empty' || state.kind === 'workspace') return;
  const { targets } =
    state.kind === 'pointers' ? await loadTargets(repository) : await loadTargetsAt(repository, state);
  await getListings(session, repository, { selections: selectTargets(targets, []), recursive: true });
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
