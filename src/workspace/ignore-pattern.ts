/** One line of an ignore file, ready to be matched. */
export interface IgnorePattern {
  /** True for a line that begins with `!`: what matches is not ignored. */
  negated: boolean;
  /** True for a line that ends with `/`: only directories match. */
  directoryOnly: boolean;
  /** Matches the path below the file's directory, or the last component alone when `byName`; both as byte strings. */
  expression: { test(path: string): boolean };
  byName: boolean;
}

const CLASSES: Record<string, string> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: ' \\t\\n\\v\\f\\r',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/** The text as Git matches it: one character a byte of its UTF-8. */
export function byteString(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The patterns of an ignore file's text, in order. Syntax and matching follow gitignore(5) and Git's wildmatch. */
export function parseIgnoreText(text: string): IgnorePattern[] {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  return lines.map((line) => parseLine(byteString(line))).filter((pattern) => pattern !== undefined);
}

function parseLine(line: string): IgnorePattern | undefined {
  let pattern = withoutTrailingSpaces(line.replace(/\r$/, ''));
  if (pattern === '' || pattern.startsWith('#')) return undefined;
  const negated = pattern.startsWith('!');
  if (negated) pattern = pattern.slice(1);
  const directoryOnly = pattern.endsWith('/');
  if (directoryOnly) pattern = pattern.slice(0, -1);
  const byName = !pattern.includes('/');
  if (pattern.startsWith('/')) pattern = pattern.slice(1);
  const parts = pattern === '' ? undefined : wildmatchParts(pattern);
  // A pattern that cannot match (an open bracket, a backslash at the end) is no pattern.
  return parts && { negated, directoryOnly, expression: expressionOf(parts), byName };
}

/** Stars beyond this many let a regular expression try a number of ways that grows with their power. */
const STARS_FOR_EXPRESSION = 2;

function expressionOf(parts: readonly Part[]): IgnorePattern['expression'] {
  const stars = parts.filter(({ source }) => isStar(source)).length;
  if (stars > STARS_FOR_EXPRESSION) return new StepMatcher(parts.map(({ source }) => source));
  return new RegExp(`^${parts.map(({ source }) => source).join('')}$`, 's');
}

/** Spaces at the end do not count unless a backslash protects them. */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === ' ') continue;
    end = Math.min(at + 1, line.length);
  }
  return line.slice(0, end);
}

/** The parts of a wildmatch pattern, each with a regular expression's source; undefined where it is malformed. */
function wildmatchParts(pattern: string): Part[] | undefined {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] as string;
    let part: Part | undefined;
    if (character === '*') part = stars(pattern, at);
    else if (character === '?') part = { source: '[^/]', next: at + 1 };
    else if (character === '[') part = bracket(pattern, at);
    else if (character === '\\') part = at + 1 < pattern.length ? literal(pattern, at + 1) : undefined;
    else part = literal(pattern, at);
    if (!part) return undefined;
    parts.push(part);
    at = part.next;
  }
  return parts;
}

const ANYTHING = '.*';
const DIRECTORIES = '(?:.*/)?';
const IN_NAME = '[^/]*';

function isStar(source: string): boolean {
  return source === ANYTHING || source === DIRECTORIES || source === IN_NAME;
}

interface Part {
  source: string;
  next: number;
}

/**
 * Matches a pattern of many stars in time that grows with their number and not with its power: all the ways are followed
 * at once. Rules come with a clone, and one that never ends would hang every command.
 */
class StepMatcher {
  private readonly single: (RegExp | undefined)[];

  constructor(private readonly sources: readonly string[]) {
    this.single = sources.map((source) => (isStar(source) ? undefined : new RegExp(`^${source}$`, 's')));
  }

  test(path: string): boolean {
    // Two states a part: before it, and inside of a star that takes directories.
    let states = this.reach(new Set(), 0);
    for (const character of path) {
      const next = new Set<number>();
      for (const state of states) this.step(state, character, next);
      if (next.size === 0) return false;
      states = next;
    }
    return states.has(2 * this.sources.length);
  }

  private step(state: number, character: string, into: Set<number>): void {
    const part = state >> 1;
    const source = this.sources[part];
    if (source === undefined) return;
    if (source === DIRECTORIES) {
      into.add(2 * part + 1);
      if (character === '/') this.reach(into, part + 1);
    } else if (source === ANYTHING || (source === IN_NAME && character !== '/')) this.reach(into, part);
    else if (source !== IN_NAME && this.single[part]?.test(character)) this.reach(into, part + 1);
  }

  /** Adds the state before a part, and what follows it where it is a star, which may take nothing. */
  private reach(into: Set<number>, part: number): Set<number> {
    for (let at = part; ; at++) {
      into.add(2 * at);
      const source = this.sources[at];
      if (source === undefined || !isStar(source)) return into;
    }
  }
}

function literal(pattern: string, at: number): Part {
  return { source: escaped(pattern[at] as string), next: at + 1 };
}

function escaped(character: string): string {
  return /[\w ]/.test(character) ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** `**` counts only as a whole component; anywhere else it is a single star. */
function stars(pattern: string, at: number): Part {
  let next = at;
  while (pattern[next] === '*') next++;
  const whole = next - at >= 2 && (at === 0 || pattern[at - 1] === '/');
  if (whole && next === pattern.length) return { source: ANYTHING, next };
  if (whole && pattern[next] === '/') return { source: DIRECTORIES, next: next + 1 };
  return { source: IN_NAME, next };
}

function bracket(pattern: string, start: number): Part | undefined {
  let at = start + 1;
  const inverted = pattern[at] === '!' || pattern[at] === '^';
  if (inverted) at++;
  let members = '';
  for (let first = true; first || pattern[at] !== ']'; first = false) {
    if (at >= pattern.length) return undefined;
    const named = /^\[:([^\]]*):\]/.exec(pattern.slice(at));
    if (named) {
      const set = CLASSES[named[1] as string];
      if (set === undefined) return undefined;
      members += set;
      at += named[0].length;
      continue;
    }
    const range = bracketRange(pattern, at);
    if (!range) return undefined;
    members += range.source;
    at = range.next;
  }
  // A class never matches a slash, as a path's components are matched one by one.
  const source = inverted ? `(?!/)[^${members}]` : members === '' ? '(?!)' : `(?!/)[${members}]`;
  return { source, next: at + 1 };
}

/** One character of a class, or a range of them; a range that runs backwards holds its first character. */
function bracketRange(pattern: string, at: number): Part | undefined {
  const low = bracketCharacter(pattern, at);
  if (!low) return undefined;
  if (pattern[low.next] !== '-' || low.next + 1 >= pattern.length || pattern[low.next + 1] === ']') {
    return { source: escaped(low.source), next: low.next };
  }
  const high = bracketCharacter(pattern, low.next + 1);
  if (!high) return undefined;
  const range = low.source <= high.source ? `-${escaped(high.source)}` : '';
  return { source: escaped(low.source) + range, next: high.next };
}

function bracketCharacter(pattern: string, at: number): Part | undefined {
  const from = pattern[at] === '\\' ? at + 1 : at;
  const character = pattern[from];
  return character === undefined ? undefined : { source: character, next: from + 1 };
}
