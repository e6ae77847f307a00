import { MlvError } from '../../core/errors.js';
import { inShellQuotes } from '../../core/shell-quote.js';
import { isGoodInCache, lookAtUnwanted, type NarrowReport, removeUnwanted } from '../../workspace/narrow.js';
import { changeParts } from '../../workspace/part-store.js';
import {
  isDirectoryTarget,
  loadTargets,
  type Selection,
  selectTargets,
  type Target,
} from '../../workspace/pointers.js';
import { type PartText, WantedPart } from '../../workspace/wanted-part.js';
import { type OpenRepository, openRepository } from '../context.js';
import { displayer, toPaths } from '../operands.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';
import { withParts } from '../wanted-parts.js';

interface Narrowed extends PartText, NarrowReport {
  directory: string;
}

/** `mlv sparse set`: see its declaration. Errors: those of pull, `USAGE` for a path that is not inside a directory. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const paths = toPaths(repository, input.args);
  const { targets, problems } = await loadTargets(repository);
  const selections = selectTargets(targets, paths, problems);
  for (const selection of selections) requireInside(selection);
  const chosen = await withParts(session, repository, { selections, paths });
  // First, so that what is not on the remote either is known before anything goes.
  const pull = await import('./pull.js');
  const pulled = await pull.run(session, { ...input, options: {} });
  const failed = pulled.errors ?? [];
  const narrowed = failed.length > 0 ? [] : await narrowAll(session, repository, chosen);
  const kept = narrowed.flatMap((each) => each.kept);
  return {
    done: [...(pulled.done ?? []), ...narrowed.map((each) => line(repository, each))],
    notes: [...(pulled.notes ?? [])],
    json: { directories: narrowed },
    errors: [...failed, ...(kept.length > 0 ? [keptError(kept)] : [])],
  };
}

function requireInside({ target, below }: Selection): void {
  if (below !== '') return;
  throw new MlvError('USAGE', `'${target.path}' is tracked itself, and not a part of a directory`, {
    hint: isDirectoryTarget(target)
      ? `to have all of it: mlv pull ${inShellQuotes(target.path)}`
      : 'name paths inside a directory',
    data: { path: target.path },
  });
}

/** What is wanted is written down before anything goes: what a kill leaves counts as here. */
async function narrowAll(
  session: Session,
  repository: OpenRepository,
  chosen: readonly Selection[],
): Promise<Narrowed[]> {
  const parts = new Map<Target, WantedPart>();
  for (const { target, below, part } of chosen) {
    const before = parts.get(target) ?? WantedPart.nothing;
    const after = part ? part.patterns.reduce((sum, pattern) => sum.withPattern(pattern), before) : before.with(below);
    parts.set(target, after);
  }
  const narrowed: Narrowed[] = [];
  for (const [target, part] of parts) {
    const options = { isSaved: isGoodInCache(repository), signal: session.signal };
    const look = await lookAtUnwanted(repository, { target, part }, options);
    changeParts(repository.layout, [target.path], () => part);
    narrowed.push({ directory: target.path, ...part.text, ...removeUnwanted(repository, look) });
  }
  return narrowed;
}

function line(repository: OpenRepository, { directory, removed }: Narrowed): string {
  const what = `${formatCount(removed.files, 'file')} (${formatBytes(removed.bytes)})`;
  return `${displayer(repository)(directory, true)}  ${what} left the workspace; the cache keeps them`;
}

function keptError(kept: readonly string[]): MlvError {
  const [first = ''] = kept;
  const more = kept.length > 1 ? ` and ${formatCount(kept.length - 1, 'file')} more` : '';
  return new MlvError('UNSAVED_CHANGES', `'${first}'${more} stayed: changed, never added, or not in the cache`, {
    hint: `record it: mlv add ${inShellQuotes(first)}   (or remove it yourself)`,
    data: { paths: kept.slice(0, 1000) },
  });
}
