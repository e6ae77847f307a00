import { join } from 'node:path';
import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isGitDirectoryName } from '../objects/entry-name.js';
import { byteString, type IgnorePattern, parseIgnoreText } from './ignore-pattern.js';
import { OWN_FILE_LIMIT, readWholeTextFile } from './text-file.js';
import { isWorkspaceTemporary } from './workspace-temporary.js';

/** Name of the files that say what `mlv add` leaves out, in Git's own syntax. */
export const IGNORE_FILE = '.mlvignore';

/** True for names that are never part of a tracked directory, whatever the rules say. */
export function isNeverTracked(name: string): boolean {
  return isGitDirectoryName(name) || isWorkspaceTemporary(name);
}

interface Level {
  /** Directory of the rules file, relative to the repository's top, with a trailing slash, or empty for the top. */
  base: string;
  /** Last line first: the first that matches decides. */
  patterns: readonly IgnorePattern[];
}

/**
 * The ignore rules in force in one directory: those of its own `.mlvignore` and of all above it. As in gitignore(5),
 * the last matching pattern of the deepest file that matches decides.
 */
export class IgnoreRules {
  private constructor(private readonly levels: readonly Level[]) {}

  /** Rules that ignore nothing. */
  static readonly none = new IgnoreRules([]);

  /** True when no rule is in force: callers then need not ask. */
  get empty(): boolean {
    return this.levels.length === 0;
  }

  /** These rules and those of a rules text in `directory` (relative to the repository's top). */
  with(directory: string, text: string): IgnoreRules {
    const patterns = parseIgnoreText(text).reverse();
    if (patterns.length === 0) return this;
    return new IgnoreRules([{ base: directory === '' ? '' : `${directory}/`, patterns }, ...this.levels]);
  }

  /**
   * These rules and those of the directory's own rules file, where it has one. Errors: `FILE_SYSTEM`,
   * `PATH_UNSUPPORTED` for a symbolic link and for a file above 1 MiB.
   */
  enter(worktree: string, directory: string): IgnoreRules {
    const path = join(worktree, directory, IGNORE_FILE);
    const found = readWholeTextFile(path, OWN_FILE_LIMIT);
    if (!found) return this;
    if ('text' in found) return this.with(directory, found.text);
    throw new MlvError('PATH_UNSUPPORTED', `'${path}' is a symbolic link; rules are read from a file of its own only`, {
      hint: `put a file in its place: rm ${inShellQuotes(path)}`,
      data: { path },
    });
  }

  /** The rules in force in `directory`: read from its own and all parents' rules files. */
  static forDirectory(worktree: string, directory: string): IgnoreRules {
    let rules = IgnoreRules.none.enter(worktree, '');
    let path = '';
    for (const part of directory === '' ? [] : directory.split('/')) {
      path = path === '' ? part : `${path}/${part}`;
      rules = rules.enter(worktree, path);
    }
    return rules;
  }

  /**
   * True when the path (relative to the repository's top) is left out. Upper and lower case differ on every platform,
   * so that all machines track the same files. Parents are not asked: callers do not descend into what is ignored.
   */
  ignores(path: string, isDirectory: boolean): boolean {
    for (const { base, patterns } of this.levels) {
      if (!path.startsWith(base)) continue;
      const below = byteString(path.slice(base.length));
      const name = below.slice(below.lastIndexOf('/') + 1);
      const decisive = patterns.find(
        (pattern) => (isDirectory || !pattern.directoryOnly) && pattern.expression.test(pattern.byName ? name : below),
      );
      if (decisive) return !decisive.negated;
    }
    return false;
  }
}
