import type { TreeLoader } from '../objects/tree-diff.js';
import { checkTreeLevel, decodeTree, type TreeEntry } from '../objects/tree-format.js';
import { byteString, type IgnorePattern, parseIgnoreText } from './ignore-pattern.js';
import { isWithin, parentOf } from './paths.js';

/** How much of what is at or below a path is wanted. */
export type Coverage = 'all' | 'some' | 'none';

/** A part as it is written down: paths below the tracked directory, `/`-separated; an empty one is the directory itself. */
export interface PartText {
  /** Wanted, with all that is below. */
  paths: readonly string[];
  /** Wanted, where they match: wildmatch patterns as in an ignore file, against the path below the directory. */
  patterns: readonly string[];
  /** Not wanted, with all that is below, though `paths` has something above. */
  without: readonly string[];
}

interface Matcher {
  expression: IgnorePattern['expression'];
  /** Components of the pattern, for the question whether it can match below a directory. */
  components: readonly string[];
}

const MAGIC = /[*?[\\]/;

/**
 * Which part of a tracked directory a working tree wants to have. Pure. The rule nearest to a path decides, from the
 * path upwards; patterns want what no rule has a word on.
 */
export class WantedPart implements PartText {
  readonly paths: readonly string[];
  readonly patterns: readonly string[];
  readonly without: readonly string[];
  private readonly rules = new Map<string, boolean>();
  /** Directories above a path that is wanted, and above one that is not. */
  private readonly aboveWanted = new Set<string>();
  private readonly aboveUnwanted = new Set<string>();
  private readonly matchers: readonly Matcher[];

  constructor({ paths, patterns, without }: PartText) {
    this.paths = paths;
    this.patterns = patterns;
    this.without = without;
    for (const path of paths) this.addRule(path, true);
    for (const path of without) this.addRule(path, false);
    this.matchers = patterns.flatMap((pattern) => matcherOf(pattern) ?? []);
  }

  /** The part that has nothing in it, and the one that has everything. */
  static readonly nothing = new WantedPart({ paths: [], patterns: [], without: [] });
  static readonly everything = new WantedPart({ paths: [''], patterns: [], without: [] });

  private addRule(path: string, wanted: boolean): void {
    this.rules.set(path, wanted);
    const above = wanted ? this.aboveWanted : this.aboveUnwanted;
    for (let each = path; each !== ''; ) {
      each = parentOf(each);
      above.add(each);
    }
  }

  /** True when everything is wanted. */
  get isWhole(): boolean {
    return this.rules.get('') === true && this.without.length === 0;
  }

  /** A text that is the same for the same part. */
  get key(): string {
    return JSON.stringify([this.paths, this.patterns, this.without]);
  }

  /** How much is wanted of a path below the tracked directory; of what is no directory it is all or nothing. */
  covers(path: string, directory: boolean): Coverage {
    const rule = this.ruleOf(path);
    if (rule === true) return directory && this.aboveUnwanted.has(path) ? 'some' : 'all';
    if (rule === undefined && this.matches(path)) return 'all';
    if (!directory) return 'none';
    if (this.aboveWanted.has(path)) return 'some';
    return rule === undefined && this.matchers.some((matcher) => mayMatchBelow(matcher, path)) ? 'some' : 'none';
  }

  /** The part with a path more in it, and all that is below. */
  with(path: string): WantedPart {
    return this.ruled(path, true);
  }

  /** The part with many paths more in it: as `with` for each. */
  withAll(paths: readonly string[]): WantedPart {
    const added = new Set(paths);
    const isBelow = (path: string): boolean => {
      for (let each = path; each !== ''; each = parentOf(each)) if (added.has(parentOf(each))) return true;
      return false;
    };
    const remains = (path: string): boolean => !added.has(path) && !isBelow(path);
    const rest = new WantedPart({
      ...this.text,
      paths: this.paths.filter(remains),
      without: this.without.filter(remains),
    });
    const outermost = [...added].filter((path) => !isBelow(path) && rest.covers(path, true) !== 'all');
    return new WantedPart({ ...rest.text, paths: [...rest.paths, ...outermost].sort() });
  }

  /** The part without a path and all that is below. */
  except(path: string): WantedPart {
    return this.ruled(path, false);
  }

  /** The part after a path was moved, with all that is below: what was wanted of it is wanted there, and no more. */
  moved(from: string, to: string): WantedPart {
    const carried = (paths: readonly string[]): string[] =>
      paths.filter((path) => path !== from && isWithin(path, from)).map((path) => to + path.slice(from.length));
    const wanted = this.ruleOf(from) === true || this.covers(from, true) === 'all';
    const placed = wanted ? this.with(to) : this.except(to);
    const rules = { paths: carried(this.paths), without: carried(this.without) };
    const rest = placed.text;
    const remains = (path: string): boolean => !isWithin(path, from);
    return new WantedPart({
      paths: [...new Set([...rest.paths.filter(remains), ...rules.paths])].sort(),
      patterns: rest.patterns,
      without: [...new Set([...rest.without.filter(remains), ...rules.without])].sort(),
    });
  }

  /** The part and what a pattern matches. Error: RangeError for a pattern that can match nothing. */
  withPattern(pattern: string): WantedPart {
    if (!matcherOf(pattern)) throw new RangeError(`'${pattern}' is no pattern`);
    return new WantedPart({ ...this.text, patterns: [...new Set([...this.patterns, pattern])].sort() });
  }

  /** As it is written down. */
  get text(): PartText {
    const { paths, patterns, without } = this;
    return { paths, patterns, without };
  }

  private ruled(path: string, wanted: boolean): WantedPart {
    const outside = (each: string): boolean => !isWithin(each, path);
    const rest = { ...this.text, paths: this.paths.filter(outside), without: this.without.filter(outside) };
    const without = new WantedPart(rest);
    if (without.covers(path, true) === (wanted ? 'all' : 'none')) return without;
    const key = wanted ? 'paths' : 'without';
    return new WantedPart({ ...rest, [key]: [...rest[key], path].sort() });
  }

  private ruleOf(path: string): boolean | undefined {
    for (let each = path; ; each = parentOf(each)) {
      const rule = this.rules.get(each);
      if (rule !== undefined || each === '') return rule;
    }
  }

  /** A pattern that matches a directory wants all that is below. */
  private matches(path: string): boolean {
    if (this.matchers.length === 0) return false;
    for (let each = path; each !== ''; each = parentOf(each)) {
      const bytes = byteString(each);
      if (this.matchers.some(({ expression }) => expression.test(bytes))) return true;
    }
    return false;
  }
}

/**
 * True where an entry of a tree is wanted, or something below it. Errors: those of `load`, for a directory of which a part
 * may be wanted.
 */
export function holdsWanted(
  entry: TreeEntry,
  at: { part: WantedPart; path: string; load: TreeLoader },
  level = 0,
): boolean {
  const coverage = at.part.covers(at.path, entry.kind === 'tree');
  if (coverage !== 'some' || entry.kind !== 'tree') return coverage === 'all';
  checkTreeLevel(level);
  const below = (name: string): string => (at.path === '' ? name : `${at.path}/${name}`);
  return decodeTree(at.load(entry.digest)).some((each) =>
    holdsWanted(each, { ...at, path: below(each.name) }, level + 1),
  );
}

/** True for a name with characters that make it a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

function matcherOf(pattern: string): Matcher | undefined {
  if (pattern === '' || /[\n\r]/.test(pattern)) return undefined;
  const [parsed] = parseIgnoreText(`/${pattern}`);
  return parsed && { expression: parsed.expression, components: pattern.split('/') };
}

/** False only where no path below the directory can match. */
function mayMatchBelow({ components }: Matcher, directory: string): boolean {
  const parts = directory === '' ? [] : directory.split('/');
  for (const [level, part] of parts.entries()) {
    const component = components[level];
    if (component === '**') return true;
    if (component === undefined || (!MAGIC.test(component) && component !== part)) return false;
  }
  return components.length > parts.length;
}
