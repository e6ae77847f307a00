import { EXIT } from '../../core/errors.js';
import { droppedTargets } from '../../workspace/dropped.js';
import { isWithin, type RepositoryPath } from '../../workspace/paths.js';
import { POINTER_SUFFIX } from '../../workspace/pointer-format.js';
import { isPointerPath, pointerPathOf } from '../../workspace/pointers.js';
import type { Repository } from '../../workspace/repository.js';
import { differs, type StatusResult, status, type TargetState, type TargetStatus } from '../../workspace/status.js';
import { compareWithRemotes, type RemoteComparison } from '../compare-remotes.js';
import { openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { displayer, toPaths } from '../operands.js';
import { type ChangeRendering, changeLine, totalsLine } from '../render/changes.js';
import { escapeControls, quotePath } from '../render/quote.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

const SHOWN = 20;

/** `mlv status`: see its declaration. Errors: those of status. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const { reporter, signal } = session;
  const paths = toPaths(repository, args);
  const [found, conflicts] = await Promise.all([
    status(repository, paths, { reporter, signal }),
    conflictsAt(repository, paths),
  ]);
  const compared =
    options.remote === undefined ? undefined : await compareWithRemotes(session, repository, { args, options });
  const remotes = compared?.done;
  const different = found.targets.some(differs) || (remotes ?? []).some(({ missing }) => missing.length > 0);
  const rendering = { style: session.style, show: displayer(repository) };
  return {
    text: [
      ...conflictLines(rendering, conflicts),
      ...lines(rendering, found, options.all === true),
      ...remoteLines(rendering, remotes ?? []),
    ],
    notes: [
      ...(conflicts.length > 0 ? CONFLICT_NOTES : next(found, droppedTargets(repository.layout))),
      ...(remotes?.some(({ missing }) => missing.length > 0) ? ['mlv push sends what a remote lacks'] : []),
    ],
    json: {
      targets: found.targets.map(jsonOf),
      conflicts,
      problems: found.problems.map(errorDocument),
      ...(remotes && { remotes }),
    },
    errors: [...found.problems, ...(compared?.errors ?? [])],
    exitCode: options.exitCode === true && different ? EXIT.differences : EXIT.done,
  };
}

/** A target whose pointer Git has in conflict. */
interface TargetConflict {
  path: RepositoryPath;
  kind: 'content' | 'deleted-by-ours' | 'deleted-by-theirs' | 'deleted-by-both';
}

async function conflictsAt(repository: Repository, paths: readonly RepositoryPath[]): Promise<TargetConflict[]> {
  const all = (await repository.git.conflicts(POINTER_SUFFIX)).filter(({ path }) => isPointerPath(path));
  const found = all.map(({ path, ours, theirs }): TargetConflict => {
    const kind =
      ours && theirs ? 'content' : ours ? 'deleted-by-theirs' : theirs ? 'deleted-by-ours' : 'deleted-by-both';
    return { path: path.slice(0, -POINTER_SUFFIX.length), kind };
  });
  return found.filter(({ path }) => {
    const named = (each: RepositoryPath): boolean =>
      isWithin(path, each) || isWithin(each, path) || each === pointerPathOf(path);
    return paths.length === 0 || paths.some(named);
  });
}

/** In the middle of a merge, content that differs is most often what has not followed yet. */
const CONFLICT_NOTES = [
  'mlv resolve-conflict lists what is in conflict, and settles it',
  'mlv checkout brings the content of what was merged; mlv add, before that, would take the merge back',
];

const CONFLICT_WORDS: Record<TargetConflict['kind'], string> = {
  content: 'changed on both sides',
  'deleted-by-ours': 'deleted here, changed there',
  'deleted-by-theirs': 'changed here, deleted there',
  'deleted-by-both': 'deleted on both sides',
};

function* conflictLines({ style, show }: ChangeRendering, conflicts: readonly TargetConflict[]): Generator<string> {
  for (const { path, kind } of conflicts) yield `${style.red('conflict')} ${show(path)}: ${CONFLICT_WORDS[kind]}`;
}

function* remoteLines({ style, show }: ChangeRendering, remotes: readonly RemoteComparison[]): Generator<string> {
  for (const { remote, url, missing, targets } of remotes) {
    const place = `${remote} (${escapeControls(url)})`;
    if (missing.length === 0) yield `${formatCount(targets, 'target')} on ${place}`;
    else yield `${style.bold(`not on ${place}`)}: ${missing.map((path) => show(path)).join(', ')}`;
  }
}

function* lines(rendering: ChangeRendering, { targets, problems }: StatusResult, all: boolean): Generator<string> {
  const quiet = targets.filter((target) => !isNotable(target));
  for (const target of targets) if (isNotable(target)) yield* targetLines(rendering, target, all);
  if (targets.length === 0 && problems.length === 0) yield 'nothing is tracked yet';
  else if (quiet.length === targets.length && problems.length === 0)
    yield `${formatCount(quiet.length, 'target')}, nothing changed`;
  else if (quiet.length > 0) yield rendering.style.dim(`${formatCount(quiet.length, 'more target')} unchanged`);
}

function isNotable(target: TargetStatus): boolean {
  const { missing, problems, partial } = target;
  return differs(target) || missing.objects > 0 || problems.length > 0 || partial !== undefined;
}

const WORDS: Record<TargetState, string> = {
  unchanged: 'unchanged',
  modified: 'modified',
  behind: 'behind its pointer, and not changed here',
  deleted: 'not in the workspace',
  type: 'is something else than the pointer says',
};

function* targetLines(rendering: ChangeRendering, target: TargetStatus, all: boolean): Generator<string> {
  const { style } = rendering;
  const { directory, state, changes, missing, problems } = target;
  const show = rendering.show as (path: string, directory?: boolean) => string;
  const isListed = changes.length > 0 && state !== 'behind';
  const details = directory && isListed ? `: ${totalsLine(target.totals)}` : '';
  const also = target.behind && state === 'modified' ? ', and behind its pointer' : '';
  const word = target.otherVersion ? 'as another version has it, and not changed here' : WORDS[state];
  yield `${style.bold(show(target.path, directory))}  ${word}${also}${details}`;
  if (isListed && (directory || state === 'modified'))
    yield* some(
      changes.map((change) => `    ${changeLine(change, rendering)}`),
      all,
    );
  if (target.partial) yield `    ${partialText(target.partial, target.detailsMissing)}`;
  if (target.detailsMissing) yield '    what changed cannot be told: directory listings are not in the cache';
  if (missing.objects > 0) {
    yield `    ${style.yellow(`${lackingText(target)} not in the cache`)}`;
  }
  yield* some(
    problems.map(
      ({ path, reason }) => `    ${style.red('!')} ${show(path)} cannot be tracked: ${escapeControls(reason)}`,
    ),
    all,
  );
}

const PARTS_SHOWN = 5;

/** What is wanted of a partial directory, and how much of it is not here. */
function partialText(
  { paths, patterns, without, absent }: Required<TargetStatus>['partial'],
  detailsMissing: boolean,
): string {
  const wanted = [...paths.map((path) => path || 'everything'), ...patterns];
  const more = wanted.length > PARTS_SHOWN ? ` and ${wanted.length - PARTS_SHOWN} more` : '';
  const listed = wanted
    .slice(0, PARTS_SHOWN)
    .map((path) => quotePath(path))
    .join(', ');
  const except =
    without.length > 0
      ? ` without ${without
          .slice(0, PARTS_SHOWN)
          .map((path) => quotePath(path))
          .join(', ')}`
      : '';
  // Without the listings, nobody knows how much there is.
  const rest = detailsMissing ? '' : `; ${formatCount(absent.files, 'file')} (${formatBytes(absent.bytes)}) not here`;
  return `partial: ${listed === '' ? 'nothing' : listed}${more}${except}${rest}`;
}

/** Where not even the listing is there, its pointer says how many files it names. */
function lackingText({ missing, files }: TargetStatus): string {
  const whole = files !== undefined && lacksListing(missing);
  return `${whole ? formatCount(files, 'file') : formatCount(missing.objects, 'object')} (${formatBytes(missing.bytes)})`;
}

function lacksListing({ examples }: TargetStatus['missing']): boolean {
  return examples[0]?.path === '';
}

function* some(items: readonly string[], all: boolean): Generator<string> {
  yield* all ? items : items.slice(0, SHOWN);
  if (!all && items.length > SHOWN) yield `    … and ${items.length - SHOWN} more (--all shows them)`;
}

function next(found: StatusResult, dropped: ReadonlySet<string>): string[] {
  const targets = found.targets.filter(({ path }) => !dropped.has(path));
  const isDropped = targets.length < found.targets.length;
  // Where files were never fetched, mlv add would leave them out; it refuses that.
  const changed = targets.some(
    ({ state, detailsMissing, behind, otherVersion }) =>
      !detailsMissing && !behind && !otherVersion && state !== 'unchanged' && state !== 'deleted',
  );
  const behind = targets.filter((target) => target.behind);
  const other = targets.filter((target) => target.otherVersion);
  const untold = targets.some(
    ({ detailsMissing, state, otherVersion }) => detailsMissing && state !== 'behind' && !otherVersion,
  );
  const lacking = targets.filter(({ missing }) => missing.objects > 0);
  const absent = targets.some(({ state, missing }) => state === 'deleted' && missing.objects === 0);
  return [
    ...(changed ? ['mlv add <path> records what changed, mlv checkout --force <path> throws it away'] : []),
    ...(other.length > 0 ? [otherNote(other)] : []),
    ...(behind.length > 0 ? [behindNote(behind)] : []),
    ...(absent ? ['mlv checkout brings back what is not in the workspace'] : []),
    ...(untold ? ['after mlv fetch, mlv status can tell what changed where directory listings are missing'] : []),
    ...(targets.some(({ partial }) => partial) ? ['mlv pull <directory> brings all of one that is partial'] : []),
    ...(lacking.length > 0 ? [lackingNote(lacking)] : []),
    ...(isDropped ? ['mlv pull <path> brings back what was dropped'] : []),
  ];
}

function otherNote(targets: readonly TargetStatus[]): string {
  const verb = targets.some(({ missing }) => missing.objects > 0) ? 'pull' : 'checkout';
  return `mlv ${verb} brings what the pointers name, since nothing was changed here; mlv add <path> records what is here instead`;
}

function behindNote(targets: readonly TargetStatus[]): string {
  const verb = targets.some(({ missing }) => missing.objects > 0) ? 'pull' : 'checkout';
  return `mlv ${verb} brings what is behind up to its pointer, and keeps what was changed here`;
}

function lackingNote(targets: readonly TargetStatus[]): string {
  const count = ({ missing, files }: TargetStatus): number =>
    files !== undefined && lacksListing(missing) ? files : missing.objects;
  const objects = targets.reduce((sum, target) => sum + count(target), 0);
  const bytes = targets.reduce((sum, { missing }) => sum + missing.bytes, 0);
  const what = `${formatCount(objects, 'object')} (${formatBytes(bytes)})`;
  return `mlv pull gets ${what} that ${objects === 1 ? 'is' : 'are'} not in the cache from a remote`;
}

function jsonOf(target: TargetStatus): Record<string, unknown> {
  return { ...target };
}
