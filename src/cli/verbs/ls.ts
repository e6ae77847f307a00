import { MlvError } from '../../core/errors.js';
import { annotationsOf } from '../../workspace/annotate.js';
import type { Annotation } from '../../workspace/annotation.js';
import { type ListedEntry, listEntries } from '../../workspace/list.js';
import { forDisplay } from '../../workspace/paths.js';
import { selectTargets, type Target } from '../../workspace/pointers.js';
import { openRepository } from '../context.js';
import { isElsewhere } from '../elsewhere/is-elsewhere.js';
import { errorDocument } from '../errors.js';
import { getListings } from '../listings.js';
import { pathsFromHere, splitOperands, targetsAt } from '../operands.js';
import { quotePath } from '../render/quote.js';
import { formatBytes } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv ls`: see its declaration. Errors: those of splitOperands and listEntries. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  if (input.afterSeparator !== input.args.length && isElsewhere(input.args[0], session.cwd)) {
    const { listElsewhere } = await import('../elsewhere/look.js');
    const { entries, targets, problems } = await listElsewhere(session, input);
    return present(session, input, { entries, targets, problems, nameOf: (path) => path });
  }
  if (input.options.rev !== undefined) throw revisionHere(input);
  const repository = await openRepository(session);
  const operands = await splitOperands(repository, input, { session, limit: 1 });
  const { targets, problems } = await targetsAt(repository, operands);
  const paths = pathsFromHere(repository, targets, operands.paths);
  const recursive = input.options.recursive === true;
  if (paths !== undefined && (recursive || paths.length > 0))
    await getListings(session, repository, { selections: selectTargets(targets, paths), recursive });
  const entries = paths === undefined ? noEntries() : listEntries(repository, targets, { paths, recursive });
  const nameOf = (path: string): string => forDisplay(repository.layout, path);
  return present(session, input, { entries, targets, problems, nameOf });
}

interface Listing {
  entries: Iterable<ListedEntry>;
  targets: readonly Target[];
  problems: readonly MlvError[];
  nameOf: (path: string) => string;
}

function present(session: Session, { options }: VerbInput, { entries, targets, problems, nameOf }: Listing): Result {
  const raw = options.null === true;
  const show = (path: string): string => (raw ? path : quotePath(path));
  return {
    text: session.globals.json ? [] : lines(entries, { show, nameOf, long: options.long === true }),
    terminator: raw ? '\0' : '\n',
    json: { entries: withAnnotations(entries, annotationsOf(targets)), problems: problems.map(errorDocument) },
    errors: problems,
  };
}

function revisionHere({ options }: VerbInput): MlvError {
  return new MlvError('USAGE', '--rev is for a repository elsewhere', {
    hint: `a revision of this one is the first operand: mlv ls ${textOption(options.rev) ?? ''}`,
  });
}

function* withAnnotations(
  entries: Iterable<ListedEntry>,
  annotations: ReadonlyMap<string, Annotation>,
): Generator<ListedEntry & { annotation?: Annotation }> {
  for (const entry of entries) {
    const annotation = annotations.get(entry.path);
    yield annotation ? { ...entry, annotation } : entry;
  }
}

function* noEntries(): Generator<ListedEntry> {}

const KINDS: Record<ListedEntry['kind'], string> = { file: '-', executable: 'x', link: 'l', tree: 'd' };

function* lines(
  entries: Iterable<ListedEntry>,
  { show, nameOf, long }: { show: (path: string) => string; nameOf: (path: string) => string; long: boolean },
): Generator<string> {
  for (const { path, kind, size, oid, link } of entries) {
    const name = show(`${nameOf(path)}${kind === 'tree' ? '/' : ''}`);
    if (!long) yield name;
    else {
      const target = link === undefined ? '' : ` -> ${show(link)}`;
      yield `${KINDS[kind]} ${formatBytes(size).padStart(9)} ${(oid ?? '').slice(0, 19).padEnd(19)} ${name}${target}`;
    }
  }
}
