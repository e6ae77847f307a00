import { isMlvError, MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { entryAt } from '../objects/tree-diff.js';
import type { CheckoutReport } from '../workspace/checkout-directory.js';
import { beginPart } from '../workspace/part-begin.js';
import { changeParts, loadParts } from '../workspace/part-store.js';
import { isWithin, type RepositoryPath } from '../workspace/paths.js';
import { isDirectoryTarget, pointerPathOf, type Selection, type Target } from '../workspace/pointers.js';
import { holdsWanted, isPattern, WantedPart } from '../workspace/wanted-part.js';
import { cacheLoader } from '../workspace/workspace-trees.js';
import type { OpenRepository } from './context.js';
import { getListingsOnTheWay } from './inner-listings.js';
import type { Session } from './session.js';

/**
 * Selections as this working tree wants them: of a partial directory that no path names, its part; where a path below one
 * is a pattern, what that matches. Gets the listings that tell a pattern from a name. Error: `USAGE` for a pattern that is
 * malformed.
 */
export async function withParts(
  session: Session,
  repository: OpenRepository,
  { selections, paths }: { selections: readonly Selection[]; paths: readonly RepositoryPath[] },
): Promise<Selection[]> {
  const parts = loadParts(repository.layout);
  const patterns = selections.filter(({ below }) => isPattern(below)).map(pathOf);
  const targets = [...new Set(selections.map(({ target }) => target))];
  if (patterns.length > 0) await getListingsOnTheWay(session, repository, { targets, paths: patterns });
  const named = new Set(paths);
  return selections.map((selection) => {
    const { target, below } = selection;
    const part = parts.get(target.path);
    if (below === '') return part && !isNamed(target, named) ? { ...selection, part } : selection;
    if (!isPattern(below) || isInTree(repository, selection)) return selection;
    return { target, below: '', part: patternPart(WantedPart.nothing, below) };
  });
}

/** As withParts, for selections that nobody named: each directory's part of this working tree. */
export function withOwnParts({ layout }: OpenRepository, selections: readonly Selection[]): Selection[] {
  const parts = loadParts(layout);
  return selections.map((selection) => {
    const part = selection.below === '' ? parts.get(selection.target.path) : undefined;
    return part ? { ...selection, part } : selection;
  });
}

/** What was asked for by name, and will be wanted in this working tree once it is here. */
export class Widening {
  private readonly asked: readonly Selection[];

  private constructor(
    private readonly repository: OpenRepository,
    selections: readonly Selection[],
    paths: readonly RepositoryPath[],
  ) {
    const named = new Set(paths);
    const own = loadParts(repository.layout);
    const isAsked = ({ target, below, part }: Selection): boolean =>
      below !== '' || (part ? part.key !== own.get(target.path)?.key : isNamed(target, named));
    this.asked = selections.filter((selection) => isDirectoryTarget(selection.target) && isAsked(selection));
  }

  /**
   * To be called before anything is checked out: from then on what is not here of a directory that was never here as a
   * whole passes for no deletion. Error: `PATH_NOT_FOUND` for a pattern that matches nothing.
   */
  static begin(
    repository: OpenRepository,
    selections: readonly Selection[],
    paths: readonly RepositoryPath[],
  ): Widening {
    const widening = new Widening(repository, selections, paths);
    for (const selection of widening.asked) widening.start(selection);
    return widening;
  }

  private start({ target, below, part }: Selection): void {
    if (below === '' && !part) return;
    try {
      if (part) requireMatch(this.repository, target, part);
      beginPart(this.repository, target);
    } catch (error) {
      // Without its listing nothing of it is checked out either.
      if (!isObjectError(error)) throw error;
    }
  }

  /** To be called after the checkout: what came whole is wanted from now on. */
  finish({ failed }: Pick<CheckoutReport, 'failed'>): void {
    for (const selection of this.asked) {
      const { target, below, part } = selection;
      if (failed.some(({ path }) => isWithin(path, pathOf(selection)))) continue;
      changeParts(this.repository.layout, [target.path], (wanted) => {
        if (!wanted || (below === '' && !part)) return undefined;
        return part ? part.patterns.reduce(patternPart, wanted) : wanted.with(below);
      });
    }
  }
}

function patternPart(part: WantedPart, pattern: string): WantedPart {
  try {
    return part.withPattern(pattern);
  } catch {
    throw new MlvError('USAGE', `'${pattern}' is not a pattern that could match anything`, {
      hint: 'patterns are those of .gitignore: * ? [a-z] **',
    });
  }
}

function requireMatch(repository: OpenRepository, target: Target, part: WantedPart): void {
  const load = cacheLoader(repository.cache);
  const entry = entryAt(digestOf(target.pointer.oid), '', load);
  if (entry && holdsWanted(entry, { part, path: '', load })) return;
  const patterns = part.patterns.map((pattern) => `'${target.path}/${pattern}'`).join(', ');
  throw new MlvError('PATH_NOT_FOUND', `${patterns} matches nothing in the tracked directory '${target.path}'`, {
    hint: `mlv ls -r ${shellQuote(target.path)} shows what is there`,
    data: { path: target.path },
  });
}

function isInTree({ cache }: OpenRepository, { target, below }: Selection): boolean {
  try {
    return entryAt(digestOf(target.pointer.oid), below, cacheLoader(cache)) !== undefined;
  } catch (error) {
    if (isMlvError(error)) return false;
    throw error;
  }
}

function isNamed({ path }: Target, named: ReadonlySet<RepositoryPath>): boolean {
  return named.has(path) || named.has(pointerPathOf(path));
}

function pathOf({ target, below }: Selection): RepositoryPath {
  return below === '' ? target.path : `${target.path}/${below}`;
}
