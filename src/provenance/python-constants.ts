import type { PlainValue } from './dotted-names.js';
import { type PythonToken, pythonStatements } from './python-tokens.js';

/** Words that begin a statement of another kind, or are values. */
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);
const MAX_DEPTH = 32;
/** What stands for "this is no literal". */
const NONE = Symbol('not a literal');
type Literal = PlainValue | typeof NONE;

/**
 * The constants of a Python module: what is assigned at its top level (`NAME = value`, `NAME: type = value`,
 * `A = B = value`) as a literal: numbers, strings, True, False, None, lists, tuples and dicts of these. Nothing is run, and
 * everything else is passed over. A name that is assigned again has its last value, or none where that is no literal.
 */
export function pythonConstants(source: string): Map<string, PlainValue> {
  const constants = new Map<string, PlainValue>();
  for (const { topLevel, tokens } of pythonStatements(source)) {
    if (!topLevel) continue;
    const { names, value } = assignment(tokens);
    for (const name of names) {
      constants.delete(name);
      if (value !== NONE) constants.set(name, value);
    }
  }
  return constants;
}

/** The names that a statement assigns to, and the value where it is a literal. */
function assignment(tokens: readonly PythonToken[]): { names: string[]; value: Literal } {
  const names: string[] = [];
  let at = 0;
  while (isVariable(tokens[at]) && isOperator(tokens[at + 1], '=') && !isOperator(tokens[at + 2], '=')) {
    names.push((tokens[at] as PythonToken).text);
    at += 2;
  }
  if (names.length > 0) return { names, value: literalOf(tokens.slice(at)) };
  const first = tokens[0];
  if (!isVariable(first)) return { names: [], value: NONE };
  const equals = topLevelEquals(tokens);
  if (equals < 0) return { names: [], value: NONE };
  const annotated = isOperator(tokens[1], ':');
  // `NAME += 1` and its kind change the name to what is not known; `name[0] = 1`, too.
  return { names: [first.text], value: annotated ? literalOf(tokens.slice(equals + 1)) : NONE };
}

function topLevelEquals(tokens: readonly PythonToken[]): number {
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'operator') continue;
    if ('([{'.includes(token.text)) depth += 1;
    else if (')]}'.includes(token.text)) depth -= 1;
    else if (token.text === '=' && depth === 0) return at;
  }
  return -1;
}

function isVariable(token: PythonToken | undefined): token is PythonToken {
  return token?.kind === 'name' && !KEYWORDS.has(token.text);
}

function isOperator(token: PythonToken | undefined, text: string): boolean {
  return token?.kind === 'operator' && token.text === text;
}

function literalOf(tokens: readonly PythonToken[]): Literal {
  const reader = new LiteralReader(tokens);
  const value = reader.sequence(undefined, 0);
  return reader.atEnd ? value : NONE;
}

class LiteralReader {
  private at = 0;

  constructor(private readonly tokens: readonly PythonToken[]) {}

  get atEnd(): boolean {
    return this.at === this.tokens.length;
  }

  /** A value, or a tuple where commas follow, up to the closing bracket or the end. */
  sequence(closing: string | undefined, depth: number): Literal {
    const values: PlainValue[] = [];
    let commas = 0;
    while (!this.ends(closing)) {
      const value = this.value(depth);
      if (value === NONE) return NONE;
      values.push(value);
      if (!this.take(',')) break;
      commas += 1;
    }
    if (closing !== undefined && !this.take(closing)) return NONE;
    if (closing === ']') return values;
    if (values.length === 0) return closing === undefined ? NONE : [];
    return commas > 0 ? values : values[0];
  }

  private ends(closing: string | undefined): boolean {
    return closing === undefined ? this.atEnd : this.sees(closing);
  }

  private value(depth: number): Literal {
    if (depth > MAX_DEPTH) return NONE;
    const token = this.tokens[this.at];
    if (token === undefined) return NONE;
    this.at += 1;
    if (token.kind === 'string') return this.text(token);
    if (token.kind === 'number') return numberOf(token.text);
    if (token.kind === 'name') return wordOf(token.text);
    if (token.text === '[') return this.sequence(']', depth + 1);
    if (token.text === '(') return this.sequence(')', depth + 1);
    if (token.text === '{') return this.mapping(depth + 1);
    return this.signed(token.text);
  }

  /** Strings beside one another are one. */
  private text(first: PythonToken): Literal {
    let value = first.text;
    let constant = first.constant;
    for (let next = this.tokens[this.at]; next?.kind === 'string'; next = this.tokens[this.at]) {
      value += next.text;
      constant &&= next.constant;
      this.at += 1;
    }
    return constant ? value : NONE;
  }

  private signed(sign: string): Literal {
    const token = this.tokens[this.at];
    if ((sign !== '-' && sign !== '+') || token?.kind !== 'number') return NONE;
    this.at += 1;
    const value = numberOf(token.text);
    if (value === NONE || sign === '+') return value;
    return typeof value === 'bigint' ? -value : -(value as number);
  }

  private mapping(depth: number): Literal {
    const entries = new Map<string, PlainValue>();
    while (!this.sees('}')) {
      const key = this.value(depth);
      if (!isKey(key) || !this.take(':')) return NONE;
      const value = this.value(depth);
      if (value === NONE) return NONE;
      entries.set(key === null ? 'None' : String(key), value);
      if (!this.take(',')) break;
    }
    return this.take('}') ? entries : NONE;
  }

  private sees(text: string): boolean {
    return isOperator(this.tokens[this.at], text);
  }

  private take(text: string): boolean {
    if (!this.sees(text)) return false;
    this.at += 1;
    return true;
  }
}

function isKey(value: Literal): value is string | number | bigint | boolean | null {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

function wordOf(word: string): Literal {
  if (word === 'True') return true;
  if (word === 'False') return false;
  return word === 'None' ? null : NONE;
}

/** Whole numbers come as bigints, which hold any of them. */
function numberOf(written: string): Literal {
  const text = written.replaceAll('_', '');
  if (/j$/i.test(text)) return NONE;
  if (/^0[xob]/i.test(text) || /^\d+$/.test(text)) return text.length > 1000 ? NONE : BigInt(text);
  const value = Number(text);
  return Number.isNaN(value) ? NONE : value;
}
